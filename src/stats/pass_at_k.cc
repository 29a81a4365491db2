#include "stats/pass_at_k.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/mean.h"

namespace micius {

// C(n - c, k) / C(n, k) as the shorter of two equal products, in logarithms: 1 - x loses what is small.
double pass_at_k(std::size_t n, std::size_t c, std::size_t k) {
  if (n - c < k) return 1;
  if (c == 0) return 0;
  const std::size_t factors = std::min(c, k), other = std::max(c, k);
  double log_none = 0;
  for (std::size_t i = n - factors + 1; i <= n; ++i)
    log_none += std::log1p(-static_cast<double>(other) / static_cast<double>(i));
  return -std::expm1(log_none);
}

double pass_hat_k(std::size_t n, std::size_t c, std::size_t k) {
  double all = 1;
  for (std::size_t j = 0; j < k && all > 0; ++j)
    all *= c < j ? 0 : static_cast<double>(c - j) / static_cast<double>(n - j);
  return all;
}

std::optional<Estimate> pass_at_k(std::span<const Problem> problems, std::size_t k) {
  std::vector<double> values;
  for (const Problem& problem : problems) {
    if (problem.n < k) return std::nullopt;
    values.push_back(pass_at_k(problem.n, problem.c, k));
  }
  if (values.empty()) return std::nullopt;
  const MeanInterval mean = mean_interval(values);
  Estimate result;
  result.value = *mean.value;
  result.stderr_ = mean.stderr_;
  result.n = values.size();
  return result;
}

}  // namespace micius
