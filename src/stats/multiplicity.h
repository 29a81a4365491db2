// p-values of several tests at once, adjusted: reject where the adjusted p is at most the level. Order and
// length are the input's; an absent p stays absent and does not count.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace micius {

using PValues = std::vector<std::optional<double>>;

// With sorted p(1) <= .. <= p(m):
// Family-wise error under any dependence: max over j <= i of min(1, (m - j + 1) p(j)) (Holm 1979, Scand. J.
// Stat. 6:65-70).
PValues holm(std::span<const std::optional<double>> p);
// Family-wise error under independence or positive dependence: min over j >= i of min(1, (m - j + 1) p(j))
// (Hochberg 1988, Biometrika 75:800-802).
PValues hochberg(std::span<const std::optional<double>> p);
// False discovery rate under independence or positive dependence: min over j >= i of min(1, m p(j) / j)
// (Benjamini and Hochberg 1995, JRSS B 57:289-300).
PValues benjamini_hochberg(std::span<const std::optional<double>> p);
// The same under any dependence, with m (1 + 1/2 + .. + 1/m) in place of m (Benjamini and Yekutieli 2001,
// Ann. Stat. 29:1165-1188).
PValues benjamini_yekutieli(std::span<const std::optional<double>> p);
// min(1, m p).
PValues bonferroni(std::span<const std::optional<double>> p);

}  // namespace micius
