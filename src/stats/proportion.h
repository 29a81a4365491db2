// Intervals of a share: k of n. n > 0, k <= n; exactly 0 at the low end for k = 0, exactly 1 at the high end
// for k = n.
#pragma once

#include <cstddef>

#include "stats/interval.h"

namespace micius {

// All shares that are at most z of their own standard errors from k / n (Wilson 1927, JASA 22:209-212).
Interval wilson(std::size_t k, std::size_t n, double level = 0.95);

// Covers at least `level` whatever the share, and is wider for it: low is the share at which k or more has
// the chance (1 - level) / 2, high that at which k or fewer has (Clopper and Pearson 1934, Biometrika
// 26:404-413). Quantiles of Beta(k, n - k + 1) and Beta(k + 1, n - k).
Interval clopper_pearson(std::size_t k, std::size_t n, double level = 0.95);

// Equal tails of the posterior Beta(k + 1/2, n - k + 1/2) (Brown, Cai and DasGupta 2001, Statistical Science
// 16:101-133, section 3.1).
Interval jeffreys(std::size_t k, std::size_t n, double level = 0.95);

}  // namespace micius
