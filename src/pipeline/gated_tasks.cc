#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "pipeline/gated_tasks_internal.h"

namespace micius {
namespace {

// Whether a metric is a fraction, which cannot fall by more than 1, its runs say and the policy does not.
void check_max_drop(const GatedTask& gated) {
  const TaskRule& rule = gated.rule;
  if (rule.max_drop <= 1) return;
  for (const MetricInfo& metric : gated.baseline.spec.metrics) {
    const bool is_first = &metric == &gated.baseline.spec.metrics.front();
    if (rule.metric == "primary" ? !is_first : rule.metric != metric.name) continue;
    if (metric.unit == "fraction" && metric.reduction != Reduction::kExpNegMean)
      fail(ErrorCode::kInvalidData, "{}: {:g} is more than 1, and '{}' of {} is a fraction: 0.05 is 5 points",
           rule.max_drop_field, rule.max_drop, metric.name, gated.task);
  }
}

bool is_glob(const std::string& text) { return text.find_first_of("*?") != std::string::npos; }

bool has(const std::vector<GatedTask>& tasks, const std::string& name) {
  return std::any_of(tasks.begin(), tasks.end(), [&](const GatedTask& gated) { return gated.task == name; });
}

// A name that no run has would be a rule that never holds: most likely it is misspelt. A glob may match none.
void check_names(const std::vector<GatedTask>& tasks, const std::vector<Run>& current, const Policy& policy) {
  std::vector<std::string> names;
  for (const GatedTask& gated : tasks) names.push_back(gated.task);
  for (const Run& run : current)
    if (!has(tasks, run.spec.task)) names.push_back(run.spec.task);
  const auto check = [&](const std::string& name, const char* field) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    fail(ErrorCode::kInvalidData,
         "{}: field '{}': neither the baseline nor the current runs are of '{}'{}; they are of {}",
         policy.where, field, name, did_you_mean(name, names), join(names, ", "));
  };
  for (const Policy::Entry& entry : policy.tasks)
    if (!is_glob(entry.glob)) check(entry.glob, "tasks");
  for (const MustPass& wanted : policy.must_pass) check(wanted.task, "must_pass");
}

}  // namespace

std::vector<Run> current_runs(const Store& store, const std::vector<RunId>& ids) {
  std::vector<Run> runs;
  for (const RunId id : ids) runs.push_back(store.run(id));
  for (const Run& run : runs) {
    std::vector<std::string> same;
    for (const Run& other : runs)
      if (other.spec.task == run.spec.task)
        same.push_back(
            fmt::format("run {} ({})", static_cast<std::int64_t>(other.id), other.spec.model.name));
    if (same.size() == 1) continue;
    const std::string count = same.size() == 2 ? "two" : std::to_string(same.size());
    fail(ErrorCode::kUsage,
         "{} of these runs are of {}: {}; a gate judges one of each task, so name those of one model at a "
         "time, by the numbers of `micius list runs`",
         count, run.spec.task, join(same, ", "));
  }
  return runs;
}

std::vector<GatedTask> gated_tasks(const Store& store, const std::vector<RunId>& baseline,
                                   const std::vector<Run>& current, const Policy& policy) {
  std::vector<GatedTask> tasks;
  for (const RunId id : baseline) {
    Run run = store.run(id);
    const std::string task = run.spec.task;
    if (has(tasks, task))
      fail(ErrorCode::kUsage, "the baseline has two runs of {}; `micius baseline set` with one of each task",
           task);
    tasks.push_back({task, policy.rule_of(task), std::move(run), {}});
    check_max_drop(tasks.back());
  }
  for (const Run& run : current)
    for (GatedTask& gated : tasks)
      if (gated.task == run.spec.task) gated.current = run;
  check_names(tasks, current, policy);
  return tasks;
}

std::vector<Run> runs_without_baseline(const std::vector<GatedTask>& tasks, const std::vector<Run>& current) {
  std::vector<Run> runs;
  for (const Run& run : current)
    if (!has(tasks, run.spec.task)) runs.push_back(run);
  return runs;
}

}  // namespace micius
