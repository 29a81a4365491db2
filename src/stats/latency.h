// Latencies: quantiles with what is known of them, and the share that keeps limits.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/estimate.h"

namespace micius {

// The p-quantile (type 7) with an interval between two of the values that holds for any distribution: ranks l
// and u with P(K < l) and P(K >= u) at most 2.5 % each for K ~ Binomial(n, p) (Conover 1999, Practical
// Nonparametric Statistics, section 3.2). An end is absent where n values cannot give it: above p99 that
// takes 368 of them. The values are taken as independent; those of an overloaded server are not, and their
// interval is wider. `sorted` ascends and is not empty; 0 < p < 1.
Estimate quantile_estimate(std::span<const double> sorted, double p);

struct LatencySummary {
  std::size_t n = 0;
  double mean = 0, min = 0, max = 0;
  std::vector<std::pair<int, Estimate>> quantiles;  // by percent: 50, 90, 95, 99
};

// Absent for no values.
std::optional<LatencySummary> summarize_latencies(std::vector<double> values);

// k of n, with Wilson's interval. n > 0.
Estimate share_estimate(std::size_t k, std::size_t n);

}  // namespace micius
