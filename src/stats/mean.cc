#include "stats/mean.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "stats/distribution.h"
#include "stats/proportion.h"

namespace micius {
namespace {

// Neumaier's compensated sum: the mean of 200,000 values is right to the last digit, whatever their order.
class Sum {
 public:
  void add(double x) {
    const double next = sum_ + x;
    rest_ += std::abs(sum_) >= std::abs(x) ? (sum_ - next) + x : (x - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + rest_; }

 private:
  double sum_ = 0, rest_ = 0;
};

double mean_of(std::span<const double> values) {
  Sum sum;
  for (const double x : values) sum.add(x);
  return sum.value() / static_cast<double>(values.size());
}

Interval around(double value, double half_width) { return {value - half_width, value + half_width}; }

double t_factor(double level, std::size_t df) { return t_quantile(0.5 + level / 2, static_cast<double>(df)); }

// The sums of the residuals of each cluster.
std::unordered_map<std::uint32_t, Sum> residual_sums(std::span<const double> values,
                                                     std::span<const std::uint32_t> clusters, double mean) {
  std::unordered_map<std::uint32_t, Sum> sums;
  for (std::size_t i = 0; i < values.size(); ++i) sums[clusters[i]].add(values[i] - mean);
  return sums;
}

bool all_binary(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return x == 0 || x == 1; });
}

bool no_spread(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double x) { return x == values.front(); });
}

void set_interval(Estimate& estimate, const std::optional<Interval>& interval) {
  if (!interval) return;
  estimate.low = interval->low;
  estimate.high = interval->high;
}

// kShare: every value is 0 or 1, and a Wilson interval may stand. A log-likelihood of 0 is not a share.
enum class Scale { kShare, kReal };

std::optional<Estimate> estimate(std::span<const double> values, std::span<const std::uint32_t> clusters,
                                 Scale scale) {
  if (values.empty()) return std::nullopt;
  const MeanInterval simple = mean_interval(values);
  const ClusterMean clustered = clusters.empty() ? ClusterMean{} : cluster_mean(values, clusters);
  const bool independent = clusters.empty() || clustered.clusters == values.size();
  const std::size_t units = independent ? values.size() : clustered.clusters;
  Estimate result;
  result.value = *simple.value;
  result.n = values.size();
  if (units > 1) result.stderr_ = simple.stderr_;
  if (!independent) result.clusters = units;
  if (scale == Scale::kShare && (independent || no_spread(values))) {
    const double hits = result.value * static_cast<double>(units);
    set_interval(result, wilson(static_cast<std::size_t>(std::llround(hits)), units));
  } else if (independent) {
    set_interval(result, simple.t);
  } else if (clustered.t) {
    result.stderr_ = clustered.cr1;
    result.n_effective = clustered.n_effective;
    set_interval(result, clustered.t);
  }
  return result;
}

}  // namespace

MeanInterval mean_interval(std::span<const double> values, double level) {
  MeanInterval result;
  if (values.empty()) return result;
  const double n = static_cast<double>(values.size()), mean = mean_of(values);
  result.value = mean;
  if (values.size() < 2) return result;
  if (no_spread(values)) {  // exactly, where the sum of squares may leave a rounding error
    result.sd = result.stderr_ = 0;
    return result;
  }
  Sum squares;
  for (const double x : values) squares.add((x - mean) * (x - mean));
  result.sd = std::sqrt(squares.value() / (n - 1));
  result.stderr_ = *result.sd / std::sqrt(n);
  result.normal = around(mean, normal_quantile(0.5 + level / 2) * *result.stderr_);
  result.t = around(mean, t_factor(level, values.size() - 1) * *result.stderr_);
  return result;
}

ClusterMean cluster_mean(std::span<const double> values, std::span<const std::uint32_t> clusters,
                         double level) {
  ClusterMean result;
  if (values.empty()) return result;
  const double n = static_cast<double>(values.size()), mean = mean_of(values);
  const auto sums = residual_sums(values, clusters, mean);
  result.value = mean;
  result.clusters = sums.size();
  if (sums.size() < 2) return result;
  if (no_spread(values)) {
    result.cr1 = 0;
    return result;
  }
  // In the order of the samples, so that the last digit does not depend on the hash table.
  Sum squares;
  auto open = sums;
  for (const std::uint32_t cluster : clusters) {
    if (const auto it = open.find(cluster); it != open.end()) {
      squares.add(it->second.value() * it->second.value());
      open.erase(it);
    }
  }
  const double count = static_cast<double>(sums.size());
  const double simple = *mean_interval(values, level).stderr_;
  const double cr1 = std::sqrt(squares.value() * count / (count - 1)) / n;
  // Every cluster averages to the mean: the clusters say nothing of the error, and 0 would be a lie.
  if (cr1 <= 1e-12 * simple) {
    result.cr1 = 0;
    return result;
  }
  result.cr1 = cr1;
  result.n_effective = n * (simple / cr1) * (simple / cr1);
  result.t = around(mean, t_factor(level, sums.size() - 1) * cr1);
  return result;
}

std::optional<Estimate> estimate_mean(std::span<const double> values,
                                      std::span<const std::uint32_t> clusters) {
  return estimate(values, clusters, all_binary(values) ? Scale::kShare : Scale::kReal);
}

std::optional<Estimate> estimate_exp_neg_mean(std::span<const double> values,
                                              std::span<const std::uint32_t> clusters) {
  const std::optional<Estimate> mean = estimate(values, clusters, Scale::kReal);
  if (!mean) return std::nullopt;
  return exp_neg(*mean);
}

Estimate exp_neg(const Estimate& mean) {
  Estimate result = mean;
  result.value = std::exp(-mean.value);
  result.low.reset();
  result.high.reset();
  if (mean.high) result.low = std::exp(-*mean.high);
  if (mean.low) result.high = std::exp(-*mean.low);
  if (mean.stderr_) result.stderr_ = result.value * *mean.stderr_;
  return result;
}

}  // namespace micius
