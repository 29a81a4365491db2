// Quantiles of a list of values.
#pragma once

#include <cstddef>
#include <span>

namespace micius {

// Linear between order statistics: with h = (n - 1) p, x[floor h] + (h - floor h)(x[floor h + 1] - x[floor
// h]) (Hyndman and Fan 1996, Am. Stat. 50:361-365, type 7). `sorted` ascends and is not empty; 0 <= p <= 1.
double quantile_type7(std::span<const double> sorted, double p);

// The smallest value with at least a share num / den of the values at or below it: one that was measured (the
// same, type 1). In integers, since 0.07 * 100 is more than 7 in doubles. num <= den, den > 0.
double nearest_rank(std::span<const double> sorted, std::size_t num, std::size_t den);

}  // namespace micius
