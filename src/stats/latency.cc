#include "stats/latency.h"

#include <algorithm>
#include <numeric>

#include "stats/distribution.h"
#include "stats/proportion.h"
#include "stats/sample_quantile.h"

namespace micius {
namespace {

constexpr double kTail = 0.025;

// The least k with P(K <= k) > tail, by halving: the function rises.
template <typename Above>
std::size_t first_above(std::size_t n, const Above& is_above) {
  std::size_t low = 0, high = n;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (is_above(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

Estimate quantile_estimate(std::span<const double> sorted, double p) {
  const std::size_t n = sorted.size();
  Estimate estimate;
  estimate.value = quantile_type7(sorted, p);
  estimate.n = n;
  // Rank l is the number of values for which P(K < l) <= tail; rank u the first with P(K <= u - 1) >= 1 -
  // tail.
  const std::size_t l = first_above(n, [&](std::size_t k) { return binomial_cdf(k, n, p) > kTail; });
  const std::size_t u = 1 + first_above(n, [&](std::size_t k) { return binomial_cdf(k, n, p) >= 1 - kTail; });
  if (l >= 1) estimate.low = sorted[l - 1];
  if (u <= n) estimate.high = sorted[u - 1];
  return estimate;
}

std::optional<LatencySummary> summarize_latencies(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  LatencySummary summary;
  summary.n = values.size();
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  summary.min = values.front();
  summary.max = values.back();
  for (const int percent : {50, 90, 95, 99})
    summary.quantiles.emplace_back(percent, quantile_estimate(values, percent / 100.0));
  return summary;
}

Estimate share_estimate(std::size_t k, std::size_t n) {
  Estimate estimate;
  const Interval interval = wilson(k, n);
  estimate.value = static_cast<double>(k) / static_cast<double>(n);
  estimate.low = interval.low;
  estimate.high = interval.high;
  estimate.n = n;
  return estimate;
}

}  // namespace micius
