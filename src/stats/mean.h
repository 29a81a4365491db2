// Means with their intervals. Absent is what n or the data cannot give: without spread no t interval, because
// one of width 0 would claim certainty; with one sample no error; with no sample nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/estimate.h"
#include "stats/interval.h"

namespace micius {

// stderr = s / sqrt(n) with s over n - 1, as lm-evaluation-harness; normal: value +- z stderr; t: value +-
// t(n - 1) stderr (Student 1908, Biometrika 6:1-25).
struct MeanInterval {
  std::optional<double> value, sd, stderr_;
  std::optional<Interval> normal, t;
};
MeanInterval mean_interval(std::span<const double> values, double level = 0.95);

// Mean of samples that come in clusters (questions of one phrasing family): residuals are summed within a
// cluster before they are squared, CR1 with t(G - 1) (Liang and Zeger 1986; Cameron and Miller 2015).
// clusters[i] is any number that names the cluster of values[i].
struct ClusterMean {
  std::size_t clusters = 0;
  std::optional<double> value, cr1;
  std::optional<double> n_effective;  // n / design effect
  std::optional<Interval> t;
};
ClusterMean cluster_mean(std::span<const double> values, std::span<const std::uint32_t> clusters,
                         double level = 0.95);

// The mean as reports give it: Wilson where all values are 0 or 1 and every cluster is one sample, CR1 where
// a cluster has more, t else. Where all values are 0 (or all 1) clusters have no spread to measure: Wilson,
// with a cluster counted once. `clusters` may be empty: all samples independent. Absent without a value.
std::optional<Estimate> estimate_mean(std::span<const double> values,
                                      std::span<const std::uint32_t> clusters);

// exp(-mean), a perplexity, with the mean's interval transformed and its error by the delta method.
std::optional<Estimate> estimate_exp_neg_mean(std::span<const double> values,
                                              std::span<const std::uint32_t> clusters);

// exp(-x) of an estimate of x.
Estimate exp_neg(const Estimate& mean);

}  // namespace micius
