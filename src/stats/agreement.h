// Do raters agree beyond chance?
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace micius {

using Table = std::vector<std::vector<std::size_t>>;

// Two raters: table[i][j] items were put into category i by the first and j by the second. kappa = 1 - sum w
// o / sum w e with o the observed shares, e the product of the margins and w = [i != j] (Cohen 1960, Educ.
// Psychol. Meas. 20:37-46), |i - j| or (i - j)^2 (Cohen 1968, Psychol. Bull. 70:213-220). stderr of the
// unweighted one for large samples (Fleiss, Cohen and Everitt 1969, Psychol. Bull. 72:323-327). Absent where
// all is in one category, and all absent for an empty table.
struct CohenKappa {
  std::size_t n = 0;
  std::optional<double> agreement, unweighted, linear, quadratic, stderr_;
};
CohenKappa cohen_kappa(const Table& table);

// m raters an item, not the same ones each time: table[item][category] ratings, each row sums to m (Fleiss
// 1971, Psychol. Bull. 76:378-382): (P - P_e) / (1 - P_e), P the mean of (sum n_ij^2 - m) / (m (m - 1)), P_e
// = sum p_j^2. Absent without items, for one rater, and where all is in one category.
std::optional<double> fleiss_kappa(const Table& table);

// Any number of raters, ratings may be missing: ratings[rater][item]. alpha = 1 - (n - 1) sum o_ck d^2_ck /
// sum n_c n_k d^2_ck over the coincidences o of values c, k; items with fewer than two ratings do not count
// (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability; Hayes and Krippendorff 2007, Commun.
// Methods Meas. 1:77-89). d^2: kNominal [c != k], kOrdinal (sum of n_g from c to k - (n_c + n_k) / 2)^2,
// kInterval (c - k)^2, kRatio ((c - k) / (c + k))^2. Absent where nothing can disagree.
enum class Distance { kNominal, kOrdinal, kInterval, kRatio };
std::optional<double> krippendorff_alpha(const std::vector<std::vector<std::optional<double>>>& ratings,
                                         Distance distance);

}  // namespace micius
