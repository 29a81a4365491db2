// Do two lists of scores put things into the same order?
#pragma once

#include <optional>
#include <span>

namespace micius {

// Kendall's tau-b, (P - Q) / sqrt((n0 - n1)(n0 - n2)), with p by the normal and the variance corrected for
// ties (Kendall 1945, Biometrika 33:239-251; 1970, Rank Correlation Methods), and Spearman's rho, Pearson's
// correlation of mean ranks (1904, Am. J. Psychol. 15:72-101), with p by t of n - 2. Two-sided; rho_p is
// absent for n = 2. All absent where a list is constant or n < 2. Lists of equal length; time by its square.
struct RankCorrelation {
  double tau_b, tau_p, rho;
  std::optional<double> rho_p;
};
std::optional<RankCorrelation> rank_correlation(std::span<const double> x, std::span<const double> y);

}  // namespace micius
