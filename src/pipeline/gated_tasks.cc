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
    const auto same = [&](const GatedTask& gated) { return gated.task == task; };
    if (std::any_of(tasks.begin(), tasks.end(), same))
      fail(ErrorCode::kUsage, "the baseline has two runs of {}; `micius baseline set` with one of each task",
           task);
    tasks.push_back({task, policy.rule_of(task), std::move(run), {}});
    check_max_drop(tasks.back());
  }
  for (const Run& run : current)
    for (GatedTask& gated : tasks)
      if (gated.task == run.spec.task) gated.current = run;
  return tasks;
}

}  // namespace micius
