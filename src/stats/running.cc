#include "stats/running.h"

#include <cmath>

#include "stats/distribution.h"
#include "stats/mean.h"
#include "stats/proportion.h"

namespace micius {

void RunningMean::add(double value) {
  RunningCluster own;
  add(value, own);
}

void RunningMean::add(double value, RunningCluster& cluster) {
  ++n_;
  binary_ = binary_ && (value == 0 || value == 1);
  const double before = value - mean_;
  mean_ += before / static_cast<double>(n_);
  squares_ += before * (value - mean_);
  if (cluster.n == 0) ++clusters_;
  const auto n = static_cast<double>(cluster.n);
  sum_sum_ += value * (2 * cluster.sum + value);
  sum_n_ += cluster.sum + value * (n + 1);
  n_n_ += 2 * n + 1;
  cluster.sum += value;
  ++cluster.n;
}

double RunningMean::error() const {
  const auto n = static_cast<double>(n_), clusters = static_cast<double>(clusters_);
  if (clusters_ < 2 || squares_ <= 0) return 0;
  if (clusters_ == n_) return std::sqrt(squares_ / (n - 1) / n);
  const double squares = sum_sum_ - 2 * mean_ * sum_n_ + mean_ * mean_ * n_n_;
  // Where every cluster averages to the mean, what is left is the rounding of the three sums.
  return squares <= 1e-12 * sum_sum_ ? 0 : std::sqrt(squares * clusters / (clusters - 1)) / n;
}

std::optional<Estimate> RunningMean::t_estimate() const {
  if (n_ == 0) return std::nullopt;
  Estimate result;
  result.n = n_;
  result.value = mean_;
  if (clusters_ > 1) result.stderr_ = error();
  if (error() > 0) {
    const double half = t_quantile(0.975, static_cast<double>(clusters_ - 1)) * error();
    result.low = mean_ - half;
    result.high = mean_ + half;
  }
  return result;
}

std::optional<Estimate> RunningMean::estimate() const {
  std::optional<Estimate> result = t_estimate();
  if (!result || !binary_ || (clusters_ < n_ && squares_ > 0)) return result;
  const auto ones = static_cast<std::size_t>(std::llround(mean_ * static_cast<double>(clusters_)));
  const Interval interval = wilson(ones, clusters_);
  result->value = static_cast<double>(ones) / static_cast<double>(clusters_);
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
