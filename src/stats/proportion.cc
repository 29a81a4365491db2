#include "stats/proportion.h"

#include <cmath>

#include "stats/distribution.h"

namespace micius {
namespace {

// The tails of Beta(a, b) and Beta(c, d), each of (1 - level) / 2.
struct BetaTails {
  double a, b, c, d;
};

Interval beta_interval(std::size_t k, std::size_t n, double level, const BetaTails& t) {
  const double tail = (1 - level) / 2;
  return {k == 0 ? 0 : beta_quantile(tail, t.a, t.b), k == n ? 1 : beta_quantile(1 - tail, t.c, t.d)};
}

}  // namespace

Interval wilson(std::size_t k, std::size_t n, double level) {
  const double z = normal_quantile(0.5 + level / 2), count = static_cast<double>(n);
  const double p = static_cast<double>(k) / count, zz = z * z / count;
  const double centre = p + zz / 2, half = z * std::sqrt(p * (1 - p) / count + zz / (4 * count));
  return {k == 0 ? 0 : (centre - half) / (1 + zz), k == n ? 1 : (centre + half) / (1 + zz)};
}

Interval clopper_pearson(std::size_t k, std::size_t n, double level) {
  const auto right = static_cast<double>(k), wrong = static_cast<double>(n - k);
  return beta_interval(k, n, level, {right, wrong + 1, right + 1, wrong});
}

Interval jeffreys(std::size_t k, std::size_t n, double level) {
  const double right = static_cast<double>(k) + 0.5, wrong = static_cast<double>(n - k) + 0.5;
  return beta_interval(k, n, level, {right, wrong, right, wrong});
}

}  // namespace micius
