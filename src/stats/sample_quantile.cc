#include "stats/sample_quantile.h"

#include <algorithm>
#include <cmath>

namespace micius {

double quantile_type7(std::span<const double> sorted, double p) {
  const double h = static_cast<double>(sorted.size() - 1) * p, whole = std::floor(h);
  const auto below = static_cast<std::size_t>(whole);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (h - whole) * (sorted[below + 1] - sorted[below]);
}

double nearest_rank(std::span<const double> sorted, std::size_t num, std::size_t den) {
  const std::size_t rank = (num * sorted.size() + den - 1) / den;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace micius
