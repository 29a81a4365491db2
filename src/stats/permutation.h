// The paired randomisation test: if A and B are equally good, the sign of each difference could as well have
// been the other (Fisher 1935, The Design of Experiments, section 21; Pitman 1937).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace micius {

// The share of the sign patterns whose |sum| is at least the one seen, up to rounding (1e-9 of the sum of
// all |d|). Exact where at most kExactSigns differences are not 0: `extreme` of `total` = 2^n patterns, and p
// their ratio. Else of `total` random patterns, and p = (extreme + 1) / (total + 1).
struct SignFlips {
  double extreme, total, p;
  bool exact;
};
inline constexpr std::size_t kExactSigns = 20;

struct FlipOptions {
  std::size_t draws = 9999;
  std::string stream = "1234/permutation";  // the random stream's name
};

// Samples in clusters: give the sum of each cluster's differences, so that a cluster is flipped whole. Absent
// without differences. The same for any number of threads.
std::optional<SignFlips> sign_flips(std::span<const double> differences, const FlipOptions& options = {});

// p of a Monte Carlo test: the data count as one pattern, so p is never 0 (Davison and Hinkley 1997, section
// 4.2; Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39). Absent for no draw.
std::optional<double> monte_carlo_p(std::size_t extreme, std::size_t draws);

}  // namespace micius
