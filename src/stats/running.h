// A mean that is looked at while it grows, for the progress line.
#pragma once

#include <cstddef>
#include <optional>

#include "base/estimate.h"

namespace micius {

// Constant memory: mean and spread by Welford's method (1962). Samples count as independent, which a final
// estimate over clusters need not agree with.
class RunningMean {
 public:
  void add(double value);
  // Wilson while all values are 0 or 1, else t. Absent before the first value.
  std::optional<Estimate> estimate() const;
  std::optional<Estimate> exp_neg_estimate() const;  // exp(-mean) with t

 private:
  std::optional<Estimate> t_estimate() const;

  std::size_t n_ = 0, ones_ = 0;
  bool binary_ = true;
  double mean_ = 0, squares_ = 0;
};

}  // namespace micius
