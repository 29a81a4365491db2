// A ranking of models from who beat whom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace micius {

// The chance that i beats j is 1 / (1 + exp(strength[j] - strength[i])); the strengths sum to 0 (Zermelo
// 1929, Math. Z. 29:436-460; Bradley and Terry 1952, Biometrika 39:324-345). What counts is
// difference_stderr[i][j], of strength[i] - strength[j]: a single strength's error depends on the others.
struct BradleyTerry {
  std::vector<double> strength, stderr_;
  std::vector<std::vector<double>> difference_stderr;
};

// wins[i][j]: how often i beat j; ties are not counted. The most likely strengths by Newton's method;
// covariance: the Moore-Penrose inverse of the information L, L_ij = -n_ij p_ij p_ji. Absent unless every
// split of the models has wins in both directions (Ford 1957, Amer. Math. Monthly 64:28-33): an unbeaten
// model has no finite strength.
std::optional<BradleyTerry> bradley_terry(const std::vector<std::vector<double>>& wins);

// Models that answered the same samples: scores[model][sample], the higher one wins the sample. The strengths
// are those of the wins. The games of one sample depend on each other, so the covariance is L+ M L+ with M
// summed over clusters of samples, times G / (G - 1) (Liang and Zeger 1986, Biometrika 73:13-22). `clusters`
// may be empty: every sample is one.
std::optional<BradleyTerry> bradley_terry_of_scores(const std::vector<std::vector<double>>& scores,
                                                    std::span<const std::uint32_t> clusters);

// A strength on the scale of chess: 400 points are odds of 10 to 1. elo = 400 / ln 10 strength.
double elo(double strength);

}  // namespace micius
