#include "pipeline/suite_score.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "stats/aggregate.h"
#include "stats/distribution.h"

namespace micius {
namespace {

const Metric* scored_primary(const Report& report) {
  return report.metrics.empty() || !report.metrics.front().estimate ? nullptr : &report.metrics.front();
}

std::optional<std::size_t> last_run(std::span<const Report> reports, const ModelRef& model,
                                    const std::string& task) {
  for (std::size_t i = reports.size(); i-- > 0;) {
    const RunSpec& spec = reports[i].spec;
    if (spec.task == task && spec.model == model && scored_primary(reports[i]) != nullptr) return i;
  }
  return std::nullopt;
}

std::optional<Aggregate> score_of(std::span<const Report> reports, const ModelRef& model,
                                  const std::string& suite, const std::vector<std::string>& tasks) {
  Aggregate aggregate{suite, model.name, {}, {}};
  const auto count = static_cast<double>(tasks.size());
  Estimate mean;
  double variance = 0;
  bool has_error = true;
  for (const std::string& task : tasks) {
    const auto run = last_run(reports, model, task);
    if (!run) return std::nullopt;
    aggregate.reports.push_back(*run);
    const Estimate& e = *scored_primary(reports[*run])->estimate;
    mean.value += e.value / count;
    mean.n += e.n;
    has_error = has_error && e.stderr_.value_or(0) > 0;
    variance += std::pow(e.stderr_.value_or(0) / count, 2);
  }
  if (has_error) {
    mean.stderr_ = std::sqrt(variance);
    mean.low = std::max(0.0, mean.value - kNormal95 * *mean.stderr_);
    mean.high = std::min(1.0, mean.value + kNormal95 * *mean.stderr_);
  }
  Metric metric;
  metric.name = "suite_score";
  metric.unit = "fraction";
  metric.primary = true;
  metric.estimate = mean;
  aggregate.metrics.push_back(std::move(metric));
  return aggregate;
}

const Metric* scored_metric(const Report& report, const std::string& name) {
  const auto it = std::find_if(report.metrics.begin(), report.metrics.end(),
                               [&](const Metric& metric) { return metric.name == name && metric.estimate; });
  return it == report.metrics.end() ? nullptr : &*it;
}

// With lm-evaluation-harness's pooled error, and the interval of a mean over strata.
Estimate mean_by_size(const std::vector<Estimate>& estimates) {
  std::vector<Part> parts;
  Estimate mean;
  for (const Estimate& e : estimates) {
    parts.push_back({e.value, e.stderr_, e.n});
    mean.n += e.n;
  }
  const GroupScore score = group_score(parts);
  mean.value = *score.micro;
  if (score.stratified.value_or(0) == 0 || mean.n <= parts.size()) return mean;
  mean.stderr_ = score.lm_micro;
  const double half = kNormal95 * *score.stratified;
  mean.low = std::max(0.0, mean.value - half);
  mean.high = std::min(1.0, mean.value + half);
  return mean;
}

// What the runs of one group share: all of the spec that is not the task's own, and how much of it was asked.
Json setup_of(const RunSpec& spec) {
  Json setup = spec_json(spec);
  for (const char* own :
       {"task", "task_version", "dataset", "sample_ids", "scorer", "shot_pool", "task_params"})
    setup.erase(own);
  const bool whole = spec.sample_ids.size() == spec.dataset.samples;
  setup["samples"] = whole ? Json("all") : Json(spec.sample_ids.size());
  return setup;
}

// Of each task the latest run, all of one set-up: of those that every task has, the one that the first task
// had last.
std::optional<std::vector<std::size_t>> runs_of_group(std::span<const Report> reports, const ModelRef& model,
                                                      const std::vector<std::string>& tasks) {
  std::map<std::string, std::map<Json, std::size_t>> runs;  // by task and set-up
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const RunSpec& spec = reports[i].spec;
    const bool in_group = std::find(tasks.begin(), tasks.end(), spec.task) != tasks.end();
    if (in_group && spec.model == model && scored_primary(reports[i]) != nullptr)
      runs[spec.task][setup_of(spec)] = i;
  }
  std::optional<std::vector<std::size_t>> latest;
  for (const auto& [setup, run] : runs[tasks.front()]) {
    std::vector<std::size_t> company;
    for (const std::string& task : tasks) {
      const auto it = runs[task].find(setup);
      if (it != runs[task].end()) company.push_back(it->second);
    }
    if (company.size() == tasks.size() && (!latest || run > latest->front())) latest = std::move(company);
  }
  return latest;
}

std::optional<Aggregate> group_score_of(std::span<const Report> reports, const ModelRef& model,
                                        const std::string& group, const std::vector<std::string>& tasks) {
  Aggregate aggregate{group, model.name, {}, {}, "the mean of its tasks by number of samples"};
  auto runs = runs_of_group(reports, model, tasks);
  if (!runs) return std::nullopt;
  aggregate.reports = *std::move(runs);
  const Report& first = reports[aggregate.reports.front()];
  for (const Metric& of_first : first.metrics) {
    if (of_first.reduction != Reduction::kMean) continue;
    std::vector<Estimate> parts;
    for (const std::size_t report : aggregate.reports) {
      if (const Metric* metric = scored_metric(reports[report], of_first.name))
        parts.push_back(*metric->estimate);
    }
    if (parts.size() < tasks.size()) continue;
    Metric metric = of_first;
    metric.floor = metric.ceiling = std::nullopt;
    metric.estimate = mean_by_size(parts);
    aggregate.metrics.push_back(std::move(metric));
  }
  return aggregate;
}

template <typename ScoreOf>
std::vector<Aggregate> for_each_model(std::span<const Report> reports, const ScoreOf& score_of_model) {
  std::vector<Aggregate> result;
  std::vector<ModelRef> seen;
  for (const Report& report : reports) {
    const ModelRef& model = report.spec.model;
    if (std::find(seen.begin(), seen.end(), model) != seen.end()) continue;
    seen.push_back(model);
    if (auto score = score_of_model(model)) result.push_back(*std::move(score));
  }
  return result;
}

}  // namespace

std::vector<Aggregate> suite_scores(std::span<const Report> reports, const std::string& suite,
                                    const std::vector<std::string>& tasks) {
  return for_each_model(reports,
                        [&](const ModelRef& model) { return score_of(reports, model, suite, tasks); });
}

std::vector<Aggregate> group_scores(std::span<const Report> reports, const std::string& group,
                                    const std::vector<std::string>& tasks) {
  return for_each_model(reports,
                        [&](const ModelRef& model) { return group_score_of(reports, model, group, tasks); });
}

}  // namespace micius
