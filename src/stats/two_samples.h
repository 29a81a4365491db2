// Two shares over different questions: far less sure than pairs over the same ones.
#pragma once

#include <cstddef>
#include <optional>

#include "stats/interval.h"

namespace micius {

// k1 of n1 against k2 of n2. z: the pooled score test, Pearson's chi-square without correction; absent, as p
// is, where the pooled share is 0 or 1. newcombe: square-and-add of two Wilson intervals (Newcombe 1998,
// Stat. Med. 17:873-890, method 10). wald: unpooled; absent without spread. All absent where a side is empty.
struct TwoShares {
  double value;
  std::optional<double> z, p;
  Interval newcombe;
  std::optional<Interval> wald;
};
struct Share {
  std::size_t k, n;
};
std::optional<TwoShares> compare_shares(Share first, Share second, double level = 0.95);

}  // namespace micius
