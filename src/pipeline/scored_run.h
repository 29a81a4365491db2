// What a comparison reads of a run: one value a sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/store.h"

namespace micius {

struct ScoredSample {
  Sample sample;
  double value = 0;                      // of the metric, averaged over the repeats
  Verdict verdict = Verdict::kUnscored;  // and answer: of the first repeat
  std::string answer;
};

struct ScoredRun {
  Run run;
  std::size_t place = 0;  // of the runs that are compared
  MetricInfo metric;
  std::vector<ScoredSample> samples;                    // in dataset order
  std::unordered_map<std::string, std::size_t> places;  // sample id -> index of `samples`
  std::size_t not_scored = 0;  // samples that failed, could not be judged or have no value of the metric

  const ScoredSample* find(const std::string& id) const {
    const auto it = places.find(id);
    return it == places.end() ? nullptr : &samples[it->second];
  }
};

// The run's metric of that name; the first where empty. A perplexity becomes the mean of what it is made of,
// whose differences are means. Throws Error{kUsage} for a metric that is not there, or that is over clusters
// of samples.
MetricInfo compared_metric(const RunSpec& spec, const std::string& name);

ScoredRun read_scored_run(const Store& store, RunId run, const std::string& metric);

// Do both measure the same? A letter of a choice (acc_letter) is not its likelihood (acc).
bool is_same_metric(const MetricInfo& a, const MetricInfo& b);

// Is the primary metric one that compared_metric takes?
bool is_comparable(const RunSpec& spec);

// Pairs of indices of `samples`, in the order of `a`.
std::vector<std::pair<std::size_t, std::size_t>> pair_samples(const ScoredRun& a, const ScoredRun& b);

// Was the same asked?
bool same_content(const Sample& a, const Sample& b);

}  // namespace micius
