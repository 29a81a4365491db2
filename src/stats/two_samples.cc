#include "stats/two_samples.h"

#include <cmath>

#include "stats/distribution.h"
#include "stats/proportion.h"

namespace micius {

std::optional<TwoShares> compare_shares(Share first, Share second, double level) {
  if (first.n == 0 || second.n == 0) return std::nullopt;
  const auto k1 = static_cast<double>(first.k), n1 = static_cast<double>(first.n);
  const auto k2 = static_cast<double>(second.k), n2 = static_cast<double>(second.n);
  const double p1 = k1 / n1, p2 = k2 / n2, d = p1 - p2;
  const Interval w1 = wilson(first.k, first.n, level), w2 = wilson(second.k, second.n, level);
  TwoShares result{
      d, {}, {}, {d - std::hypot(p1 - w1.low, w2.high - p2), d + std::hypot(w1.high - p1, p2 - w2.low)}, {}};
  const double pooled = (k1 + k2) / (n1 + n2);
  if (pooled > 0 && pooled < 1) {
    result.z = d / std::sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2));
    result.p = normal_two_sided(*result.z);
  }
  const double variance = p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2;
  const double half = normal_quantile(0.5 + level / 2) * std::sqrt(variance);
  if (variance > 0) result.wald = {d - half, d + half};
  return result;
}

}  // namespace micius
