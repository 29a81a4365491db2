// Few-shot examples: where they come from and which ones a sample gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/python_random.h"
#include "core/dataset.h"
#include "core/spec.h"
#include "core/task.h"

namespace micius {

// The pool that a task's shots are taken from.
struct ShotPool {
  Spec dataset;
  std::string note;  // what a reader of the scores must know; "" if nothing
};

// The first of the task's pools whose file is there; absent if the task takes no shots. Throws
// Error{kNotFound} naming the first pool's file if none is there.
std::optional<ShotPool> choose_shot_pool(const Task& task, const DataRoots& roots);

// What a run's spec says of its pool: "general/arc_easy/train.jsonl@0123456789ab".
std::string shot_pool_label(const Dataset& pool);

// Chooses shots. A sample's shots depend on its index, the pool, the rule and the seed: not on which samples
// were asked for before, so that `--limit`, `--sample-ids` and `resume` see the shots of a full run.
class ShotPicker {
 public:
  // `evaluated` and `pool` must outlive the picker; `pool` may be null if the task takes no shots. Throws
  // Error{kUsage} if the pool is smaller than what the task takes.
  ShotPicker(const Task& task, const Dataset& evaluated, const Dataset* pool, std::uint64_t seed);

  // The shots of the sample at `index` of `evaluated`, prepared by the task, in prompt order. Cheapest in
  // ascending order. Not for several threads at once. Throws as Dataset::at does, and Error{kUsage} if the
  // pool, or a group of it, has too few rows besides the sample.
  std::vector<Sample> shots_for(std::size_t index);

  // Calls fn for every row that a sample may get, prepared by the task. Throws as
  // Dataset::at and Task::prepare do for one that cannot be used.
  void for_each_candidate(const std::function<void(const Sample&)>& fn);

 private:
  Sample shot_at(std::size_t row) const;
  const std::vector<std::size_t>& drawn(std::size_t index);
  std::vector<std::size_t> draw_except(std::size_t index);
  std::vector<std::size_t> first_except(std::size_t index) const;
  [[noreturn]] void fail_too_few(std::size_t there, std::size_t index) const;
  const std::map<std::string, std::vector<std::size_t>>& groups();
  const std::vector<std::size_t>& group_rows(std::size_t index);

  ShotRule rule_;
  std::size_t count_;
  std::string task_;
  std::function<Sample(Sample)> prepare_;
  const Dataset* evaluated_;
  const Dataset* pool_;
  PythonRandom random_;
  std::vector<std::vector<std::size_t>> drawn_;             // rows of the pool, by index of the sample
  std::map<std::string, std::vector<std::size_t>> groups_;  // first rows of each group; kFirstOfGroup only
};

}  // namespace micius
