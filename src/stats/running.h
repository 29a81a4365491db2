// A mean that is looked at while it grows, for the progress line.
#pragma once

#include <cstddef>
#include <optional>

#include "base/estimate.h"

namespace micius {

// What the values of one cluster have come to.
struct RunningCluster {
  double sum = 0;
  std::size_t n = 0;
};

// What estimate_mean() gives for the same values, in constant memory: mean and spread by Welford's method
// (1962), and for CR1 the sums over clusters of S^2, S n and n^2, where S is a cluster's sum and n its size.
class RunningMean {
 public:
  void add(double value);                           // a cluster of its own
  void add(double value, RunningCluster& cluster);  // which the caller keeps
  // Absent before the first value.
  std::optional<Estimate> estimate() const;
  std::optional<Estimate> exp_neg_estimate() const;  // exp(-mean) with t

 private:
  std::optional<Estimate> t_estimate() const;
  double error() const;  // 0 where there is no spread to measure

  std::size_t n_ = 0, clusters_ = 0;
  bool binary_ = true;
  double mean_ = 0, squares_ = 0;
  double sum_sum_ = 0, sum_n_ = 0, n_n_ = 0;  // over clusters
};

}  // namespace micius
