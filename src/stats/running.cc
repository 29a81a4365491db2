#include "stats/running.h"

#include <cmath>

#include "stats/mean.h"
#include "stats/quantile.h"

namespace micius {

void RunningMean::add(double value) {
  ++n_;
  if (value == 1) ++ones_;
  binary_ = binary_ && (value == 0 || value == 1);
  const double before = value - mean_;
  mean_ += before / static_cast<double>(n_);
  squares_ += before * (value - mean_);
}

std::optional<Estimate> RunningMean::t_estimate() const {
  if (n_ == 0) return std::nullopt;
  const double n = static_cast<double>(n_);
  Estimate result;
  result.n = n_;
  result.value = mean_;
  if (n_ > 1) result.stderr_ = std::sqrt(squares_ / (n - 1) / n);
  if (result.stderr_ && *result.stderr_ > 0) {
    const double half = t_quantile(0.975, n - 1) * *result.stderr_;
    result.low = mean_ - half;
    result.high = mean_ + half;
  }
  return result;
}

std::optional<Estimate> RunningMean::estimate() const {
  std::optional<Estimate> result = t_estimate();
  if (!result || !binary_) return result;
  const Interval interval = wilson(ones_, n_);
  result->value = static_cast<double>(ones_) / static_cast<double>(n_);
  result->low = interval.low;
  result->high = interval.high;
  return result;
}

std::optional<Estimate> RunningMean::exp_neg_estimate() const {
  const std::optional<Estimate> mean = t_estimate();
  if (!mean) return std::nullopt;
  return exp_neg(*mean);
}

}  // namespace micius
