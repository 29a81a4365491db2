// Two ends.
#pragma once

namespace micius {

struct Interval {
  double low, high;
  bool holds(double value) const { return low <= value && value <= high; }
};

}  // namespace micius
