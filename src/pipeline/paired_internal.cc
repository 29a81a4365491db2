#include "pipeline/paired_internal.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "core/group_keys.h"
#include "stats/bootstrap.h"
#include "stats/mean.h"
#include "stats/permutation.h"
#include "stats/power.h"
#include "stats/signed_rank.h"

namespace micius {
namespace {

bool is_binary(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return x == 0 || x == 1; });
}

bool all_equal(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double x) { return x == values.front(); });
}

bool by_counts(const Paired& paired) { return paired.clusters.empty() && is_binary(paired); }

std::vector<double> cluster_sums(const Paired& paired) {
  std::map<std::uint32_t, double> sums;
  for (std::size_t i = 0; i < paired.clusters.size(); ++i) sums[paired.clusters[i]] += paired.difference[i];
  std::vector<double> result;
  for (const auto& [cluster, sum] : sums) result.push_back(sum);
  return result;
}

}  // namespace

bool is_binary(const Paired& paired) { return is_binary(paired.a) && is_binary(paired.b); }

std::vector<std::uint32_t> clusters_of(const std::string& field, const std::vector<const Sample*>& samples) {
  std::vector<std::uint32_t> clusters;
  if (field.empty()) return clusters;
  std::unordered_map<std::string, std::uint32_t> numbers;
  bool shared = false;
  for (const Sample* sample : samples) {
    const auto place = static_cast<std::uint32_t>(clusters.size());
    const std::set<std::string> keys = group_keys(*sample, field);
    const std::uint32_t cluster =
        keys.empty() ? place : numbers.try_emplace(*keys.begin(), place).first->second;
    shared = shared || cluster != place;
    clusters.push_back(cluster);
  }
  if (!shared) clusters.clear();
  return clusters;
}

std::optional<Estimate> side_estimate(const std::vector<double>& values, const Paired& paired,
                                      const MetricInfo& metric) {
  std::optional<Estimate> estimate = estimate_mean(values, paired.clusters);
  if (estimate && estimate->low && metric.unit == "fraction") {
    estimate->low = std::max(0.0, *estimate->low);
    estimate->high = std::min(1.0, *estimate->high);
  }
  return estimate;
}

PairedCounts counts_of(const Paired& paired) {
  PairedCounts counts;
  for (std::size_t i = 0; i < paired.a.size(); ++i) {
    const bool a = paired.a[i] == 1, b = paired.b[i] == 1;
    ++(a && b ? counts.both : a ? counts.only_a : b ? counts.only_b : counts.neither);
  }
  return counts;
}

std::pair<Estimate, std::string> difference_of(const Paired& paired) {
  Estimate result;
  result.n = paired.difference.size();
  const auto set = [&](const std::optional<Interval>& interval) {
    if (!interval) return;
    result.low = interval->low;
    result.high = interval->high;
  };
  if (by_counts(paired)) {
    const auto difference = paired_difference(counts_of(paired));
    result.value = difference->value;
    result.stderr_ = difference->stderr_;
    set(difference->tango);
    return {result, "tango"};
  }
  if (paired.clusters.empty()) {
    const MeanInterval mean = mean_interval(paired.difference);
    result.value = *mean.value;
    result.stderr_ = mean.stderr_;
    set(mean.t);
    return {result, "t"};
  }
  const ClusterMean mean = cluster_mean(paired.difference, paired.clusters);
  result.value = *mean.value;
  result.stderr_ = mean.cr1;
  result.clusters = mean.clusters;
  result.n_effective = mean.n_effective;
  set(mean.t);
  if (mean.t || !is_binary(paired) || !all_equal(paired.difference)) return {result, "clusters"};
  // Every pair went the same way, so the clusters have no spread to measure: each counts once.
  const std::size_t n = mean.clusters;
  const double d = paired.difference.front();
  set(paired_difference(d > 0   ? PairedCounts{0, n, 0, 0}
                        : d < 0 ? PairedCounts{0, 0, n, 0}
                                : PairedCounts{n, 0, 0, 0})
          ->tango);
  return {result, "tango_clusters"};
}

std::vector<PairedTest> tests_of(const Paired& paired, const std::string& stream) {
  std::vector<PairedTest> tests;
  const auto add = [&](const char* name, double p, double least = 0) {
    tests.push_back({name, p, p, least});
  };
  if (by_counts(paired)) {
    const auto test = mcnemar(counts_of(paired));
    add("mcnemar_mid_p", test->binomial.mid_p);
    add("mcnemar_exact", test->binomial.exact);
    return tests;
  }
  FlipOptions options;
  options.stream = fmt::format("1234/compare/sign_flips/{}", stream);
  const std::vector<double> units = paired.clusters.empty() ? paired.difference : cluster_sums(paired);
  const auto flips = sign_flips(units, options);
  add("sign_flips", flips->p, flips->exact ? 0 : 1 / (flips->total + 1));
  if (!paired.clusters.empty()) return tests;
  const auto ranks = signed_rank(paired.difference);
  if (ranks->exact) {
    add("wilcoxon", ranks->exact->p);
  } else {
    add("wilcoxon", ranks->pratt_corrected->p);
  }
  return tests;
}

std::optional<double> detectable_of(const Paired& paired, const Estimate& difference) {
  if (by_counts(paired)) {
    const PairedCounts counts = counts_of(paired);
    const double share = static_cast<double>(counts.discordant()) / static_cast<double>(counts.n());
    return detectable_gap(counts.n(), share);
  }
  if (!difference.stderr_ || *difference.stderr_ <= 0) return std::nullopt;
  const std::size_t units = difference.clusters.value_or(difference.n);
  return detectable_mean_t(units, *difference.stderr_ * std::sqrt(static_cast<double>(units)));
}

std::optional<Estimate> bootstrap_of(const Paired& paired, const std::string& stream, std::size_t draws) {
  if (draws == 0) return std::nullopt;
  const BootstrapIntervals intervals = bootstrap_mean(
      paired.difference, paired.clusters, {draws, fmt::format("1234/compare/bootstrap/{}", stream)});
  if (!intervals.bca) return std::nullopt;
  Estimate result = difference_of(paired).first;
  result.stderr_ = intervals.stderr_;
  result.low = intervals.bca->low;
  result.high = intervals.bca->high;
  return result;
}

Paired part_of(const Paired& paired, const std::vector<std::size_t>& members) {
  Paired part;
  for (const std::size_t i : members) {
    part.a.push_back(paired.a[i]);
    part.b.push_back(paired.b[i]);
    part.difference.push_back(paired.difference[i]);
    if (!paired.clusters.empty()) part.clusters.push_back(paired.clusters[i]);
  }
  const std::set<std::uint32_t> distinct(part.clusters.begin(), part.clusters.end());
  if (distinct.size() == part.clusters.size()) part.clusters.clear();
  return part;
}

}  // namespace micius
