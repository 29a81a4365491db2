// What a run is to do, settled before the first token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/dataset.h"
#include "core/run.h"
#include "core/runner.h"
#include "core/task.h"

namespace micius {

// What a user may choose besides the task's own options (TaskOptions).
struct PlanOptions {
  std::optional<std::size_t> limit;     // the first n samples
  std::vector<std::string> sample_ids;  // these only, if any; not together with `limit`
  int repeats = 1;
  std::uint64_t seed = 1234;
  std::optional<int> max_tokens, top_k;  // over the task's own
  std::optional<double> temperature, top_p, min_p;
};

// The shots of the sample at a dataset index. Empty for a task without shots.
using ShotsFor = std::function<std::vector<Sample>(std::size_t index)>;

// Calls fn for every row that may become a shot. Empty for a task without shots.
using ForEachShot = std::function<void(const std::function<void(const Sample&)>& fn)>;

struct PlanSource {
  const Task& task;
  const Dataset& dataset;
  const RunnerInfo& model;
  ShotsFor shots_for;
  std::string task_source;  // RunSpec::task_source
  std::string shot_pool;    // RunSpec::shot_pool
  ForEachShot for_each_shot = {};
};

// The samples are as the task prepared them, and all of the dataset: the other answer of a group may come
// from any of them.
struct Plan {
  RunSpec spec;
  std::vector<Sample> samples;      // by dataset index
  std::vector<std::size_t> chosen;  // dataset indices of spec.sample_ids, ascending
  ShotsFor shots_for;
};

// Throws Error{kUsage} for an unknown sample id (with the nearest) or options that contradict each other,
// Error{kInvalidData} for two samples of one id or a row, evaluated or a shot, that the task cannot use, and
// Error{kUnsupported} where the model cannot take the first prompt. Tags, and what is to be added to the
// model's environment, are the caller's.
Plan make_plan(const PlanSource& source, const PlanOptions& options);

// The options that make the same plan again.
PlanOptions options_of(const RunSpec& spec);

// Throws Error{kUsage} naming the first field in which the specs differ; `run` is that of `stored`.
void check_same_spec(const RunSpec& stored, const RunSpec& now, RunId run);

}  // namespace micius
