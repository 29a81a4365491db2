#include "pipeline/summarize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/cost.h"
#include "core/ending.h"
#include "core/group_keys.h"
#include "pipeline/effort.h"
#include "pipeline/wrong_reasons.h"
#include "stats/mean.h"
#include "stats/pass_at_k.h"

namespace micius {
namespace {

void cut_to_fraction(std::optional<Estimate>& estimate) {
  if (!estimate || !estimate->low) return;
  estimate->low = std::max(0.0, *estimate->low);
  estimate->high = std::min(1.0, *estimate->high);
}

// One value a cluster of two samples or more, in the order of the clusters.
std::vector<double> by_cluster(Reduction reduction, const std::vector<double>& values,
                               const std::vector<std::uint32_t>& clusters) {
  struct Range {
    double low, high;
    std::size_t n;
  };
  std::map<std::uint32_t, Range> ranges;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    Range& range = ranges.try_emplace(clusters[i], Range{values[i], values[i], 0}).first->second;
    range = {std::min(range.low, values[i]), std::max(range.high, values[i]), range.n + 1};
  }
  std::vector<double> result;
  for (const auto& [cluster, range] : ranges) {
    if (range.n < 2) continue;
    result.push_back(reduction == Reduction::kWorst ? range.low : range.low < range.high ? 1 : 0);
  }
  return result;
}

std::optional<Estimate> reduce(Reduction reduction, const std::vector<double>& values,
                               const std::vector<std::uint32_t>& clusters) {
  switch (reduction) {
    case Reduction::kMean:
    case Reduction::kPassAtK:  // of the values that value_of() gives
      return estimate_mean(values, clusters);
    case Reduction::kExpNegMean:
      return estimate_exp_neg_mean(values, clusters);
    case Reduction::kWorst:
    case Reduction::kFlips:
      return estimate_mean(by_cluster(reduction, values, clusters), {});
  }
  return std::nullopt;
}

// The values of a run by sample, filled record by record in dataset order.
class Table {
 public:
  explicit Table(const RunSpec& spec) : spec_(spec), columns_(spec.metrics.size()) {}

  // The repeats of a sample come one after the other.
  void add(const Sample& sample, const std::vector<Value>& values) {
    if (samples_ == 0 || sample.id != last_id_) {
      last_id_ = sample.id;
      begin_sample(sample);
    }
    for (const Value& value : values) {
      for (std::size_t m = 0; m < columns_.size(); ++m) {
        const MetricInfo& info = spec_.metrics[m];
        if ((info.of.empty() ? info.name : info.of) != value.metric) continue;
        Cell& cell = columns_[m].back();
        cell.sum += value.value;
        ++cell.repeats;
      }
    }
  }

  std::vector<Metric> metrics() const {
    std::vector<std::uint32_t> all(samples_);
    for (std::uint32_t i = 0; i < samples_; ++i) all[i] = i;
    return metrics_of(all);
  }

  std::vector<Group> groups() const {
    std::vector<Group> result;
    for (const std::string& by : spec_.breakdowns) {
      const auto it = groups_.find(by);
      if (it == groups_.end()) continue;
      for (const auto& [key, members] : it->second)
        result.push_back({by, key, members.size(), metrics_of(members)});
    }
    return result;
  }

 private:
  struct Cell {
    double sum = 0;
    std::uint32_t repeats = 0;  // 0: the metric does not apply to the sample
  };

  static std::optional<double> value_of(const Cell& cell, const MetricInfo& info) {
    if (cell.repeats == 0) return std::nullopt;
    if (info.reduction != Reduction::kPassAtK) return cell.sum / cell.repeats;
    if (cell.repeats < static_cast<std::uint32_t>(info.k)) return std::nullopt;
    return pass_at_k(cell.repeats, static_cast<std::size_t>(std::lround(cell.sum)),
                     static_cast<std::size_t>(info.k));
  }

  void begin_sample(const Sample& sample) {
    for (auto& column : columns_) column.emplace_back();
    for (const std::string& by : spec_.breakdowns)
      for (const std::string& key : group_keys(sample, by)) groups_[by][key].push_back(samples_);
    if (!spec_.cluster.empty()) {
      const std::set<std::string> keys = group_keys(sample, spec_.cluster);
      // A sample that names no cluster is one of its own.
      clusters_.push_back(keys.empty() ? ~samples_
                                       : cluster_numbers_.try_emplace(*keys.begin(), samples_).first->second);
    }
    ++samples_;
  }

  std::vector<Metric> metrics_of(const std::vector<std::uint32_t>& members) const {
    std::vector<Metric> result;
    for (std::size_t m = 0; m < columns_.size(); ++m) {
      const MetricInfo& info = spec_.metrics[m];
      if (info.reduction == Reduction::kPassAtK && info.k > spec_.repeats) continue;
      std::vector<double> values;
      std::vector<std::uint32_t> clusters;
      for (const std::uint32_t sample : members) {
        const std::optional<double> value = value_of(columns_[m][sample], info);
        if (!value) continue;
        values.push_back(*value);
        if (!clusters_.empty()) clusters.push_back(clusters_[sample]);
      }
      Metric metric{info.name, info.unit, info.direction, m == 0, {}};
      metric.reduction = info.reduction;
      metric.estimate = reduce(info.reduction, values, clusters);
      if (info.unit == "fraction") cut_to_fraction(metric.estimate);
      result.push_back(std::move(metric));
    }
    return result;
  }

  const RunSpec& spec_;
  std::string last_id_;
  std::uint32_t samples_ = 0;
  std::vector<std::vector<Cell>> columns_;  // [metric][sample]
  std::vector<std::uint32_t> clusters_;     // [sample], or empty
  std::unordered_map<std::string, std::uint32_t> cluster_numbers_;
  std::map<std::string, std::map<std::string, std::vector<std::uint32_t>, KeyOrder>> groups_;
};

// Attempts that another one followed after a wait.
std::uint64_t retries_of(const Record& record) {
  std::uint64_t retries = 0;
  bool has_attempts = false;
  for (const Turn& turn : record.turns) {
    for (const Attempt& attempt : turn.completion.attempts) retries += attempt.waited ? 1 : 0;
    has_attempts = has_attempts || !turn.completion.attempts.empty();
  }
  if (has_attempts || !record.failure) return retries;
  return static_cast<std::uint64_t>(std::max(0, record.failure->attempts - 1));
}

struct Totals {
  Counts counts;
  Usage usage;
  std::size_t records = 0, asked = 0;  // the latter: without an answer from the cache
  std::uint64_t requests = 0, retries = 0, from_cache = 0;
  std::optional<ForwardedTokens> work;

  void add(const Record& record) {
    ++records;
    retries += retries_of(record);
    const std::uint64_t from_cache_before = from_cache;
    for (const Turn& turn : record.turns) {
      ++(turn.completion.from_cache ? from_cache : requests);
      usage.prompt_tokens += turn.completion.prompt_tokens;
      usage.cached_tokens += turn.completion.cached_tokens;
      usage.cache_write_tokens += turn.completion.cache_write_tokens;
      usage.completion_tokens += turn.completion.completion_tokens;
      if (const auto& of_turn = turn.completion.work) {
        ForwardedTokens& sum = work ? *work : work.emplace();
        sum.forwarded += of_turn->forwarded;
        sum.naive += of_turn->naive;
      }
    }
    asked += from_cache == from_cache_before ? 1 : 0;
    if (record.failure) {
      ++counts.failed;
    } else if (record.score.verdict == Verdict::kUnscored) {
      ++counts.unscored;
    } else {
      ++counts.scored;
      counts.no_answer += record.score.verdict == Verdict::kNoAnswer;
      count(ending_of(record));
    }
  }

  void count(const Ending& ending) {
    counts.truncated += ending.truncated;
    counts.empty += ending.empty;
    counts.cut += ending.cut;
    counts.refused += ending.refused;
    counts.think_only += ending.think_only;
    counts.unparsed += ending.unparsed;
    counts.ended += ending.ended;
  }
};

bool has_score(const Record& record) { return !record.failure && record.score.verdict != Verdict::kUnscored; }

void set_reach(const Expected& expected, const std::string& task, std::vector<Metric>& metrics) {
  const auto of_task = expected.find(task);
  if (of_task == expected.end()) return;
  for (Metric& metric : metrics) {
    const auto reach = of_task->second.find(metric.name);
    if (reach == of_task->second.end()) continue;
    metric.floor = reach->second.floor;
    metric.ceiling = reach->second.ceiling;
  }
}

Execution execution_of(const Run& run, const Totals& totals) {
  Execution execution;
  execution.id = run.id;
  execution.started = run.started;
  execution.finished = run.finished;
  execution.wall_ns = run.wall_ns;
  if (run.wall_ns > 0)
    execution.samples_per_s = static_cast<double>(totals.asked) * 1e9 / static_cast<double>(run.wall_ns);
  execution.work = totals.work;
  execution.environment = run.spec.environment;
  return execution;
}

std::string cache_note(const Totals& totals) {
  return fmt::format("{} of {} answers are from the cache: they cost nothing and have no time",
                     totals.from_cache, totals.from_cache + totals.requests);
}

// Sums what records cost.
class Costs {
 public:
  Costs(const RunSpec& spec, const SummarizeOptions& options)
      : price_(price_of(spec)), stable_(options.stable) {}

  void add(const Record& record) {
    if (!price_ || !pico_) return;
    const auto of_record = stable_ ? worth_pico(*price_, record) : paid_pico(*price_, record);
    pico_ = of_record ? std::optional(*pico_ + *of_record) : std::nullopt;
  }

  // Absent where it is not known.
  std::optional<double> usd() const {
    if (!price_ || !pico_) return std::nullopt;
    return static_cast<double>(*pico_) / 1e12;
  }

 private:
  const std::optional<Price> price_;
  const bool stable_;
  std::optional<std::int64_t> pico_ = 0;  // absent once that of a record is not known
};

}  // namespace

Report summarize(const Store& store, RunId id, const SummarizeOptions& options) {
  const Run run = store.run(id);
  Table table(run.spec);
  Totals totals;
  Costs costs(run.spec, options);
  EffortTally effort(price_of(run.spec));
  ReadingsTally readings(run.spec.metrics);
  WrongReasonsTally wrong;
  store.for_each(id, [&](const Record& record) {
    totals.add(record);
    costs.add(record);
    effort.add(record);
    if (!has_score(record)) return;
    table.add(record.sample, record.score.values);
    readings.add(record.score);
    wrong.add(record.score);
  });
  Report report;
  report.spec = run.spec;
  report.status = run.status;
  report.counts = totals.counts;
  report.counts.total = run.spec.sample_ids.size() * static_cast<std::size_t>(std::max(1, run.spec.repeats));
  report.usage = totals.usage;
  report.effort = effort.effort();
  report.readings = readings.readings();
  report.wrong = wrong.wrong();
  report.usage.cost_usd = costs.usd();
  report.published = published_for(options.published, run.spec.task);
  report.metrics = table.metrics();
  set_reach(options.expected, run.spec.task, report.metrics);
  if (report.counts.failed == 0 || options.allow_failed) {
    report.groups = table.groups();
  } else {
    for (Metric& metric : report.metrics) metric.estimate.reset();
  }
  if (!options.stable) {
    report.usage.requests = totals.requests;
    report.usage.retries = totals.retries;
    if (totals.from_cache > 0) report.spec.notes.push_back(cache_note(totals));
    report.execution = execution_of(run, totals);
    report.execution->seconds = effort.seconds();
  }
  return report;
}

std::optional<Estimate> primary_estimate(const Store& store, RunId run) {
  const std::vector<Metric> metrics = summarize(store, run, {}).metrics;
  return metrics.empty() ? std::nullopt : metrics.front().estimate;
}

std::optional<Estimate> primary_estimate(const RunSpec& spec, std::span<const SampleValues> values) {
  Table table(spec);
  for (const SampleValues& v : values) table.add(*v.sample, v.values);
  const std::vector<Metric> metrics = table.metrics();
  return metrics.empty() ? std::nullopt : metrics.front().estimate;
}

ReportSet summarize_all(const Store& store, const std::vector<RunId>& runs, const SummarizeOptions& options) {
  ReportSet set;
  for (const RunId run : runs) set.reports.push_back(summarize(store, run, options));
  set.records = [&store, runs](std::size_t report, const std::function<void(const Record&)>& fn) {
    store.for_each(runs.at(report), fn);
  };
  return set;
}

}  // namespace micius
