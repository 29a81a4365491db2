// The tasks that a gate judges, each with its runs and its rule.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/run.h"
#include "core/store.h"
#include "pipeline/policy.h"

namespace micius {

// One task of the baseline and what the policy wants of it.
struct GatedTask {
  std::string task;
  TaskRule rule;
  Run baseline;
  std::optional<Run> current;  // absent where the current runs lack the task
};

// The runs that are judged. Throws Error{kUsage} for two of one task, of which a gate could only see one.
std::vector<Run> current_runs(const Store& store, const std::vector<RunId>& ids);

// The tasks of the baseline, in its order. Throws Error{kUsage} for a baseline with two runs of one task
// and Error{kInvalidData}, naming the policy's file and field, for a max_drop by which no fraction can fall
// and for a task, without * and ?, that none of the runs is of.
std::vector<GatedTask> gated_tasks(const Store& store, const std::vector<RunId>& baseline,
                                   const std::vector<Run>& current, const Policy& policy);

// The current runs whose task the baseline lacks.
std::vector<Run> runs_without_baseline(const std::vector<GatedTask>& tasks, const std::vector<Run>& current);

}  // namespace micius
