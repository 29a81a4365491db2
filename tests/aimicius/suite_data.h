// The suites' data as their tests read it.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "datasets/registry.h"
#include "tasks/registry.h"

namespace micius {

inline const std::filesystem::path kSuite = std::filesystem::path(MICIUS_SOURCE_DIR) / "datasets/aimicius";

inline TaskOptions options() {
  TaskOptions result;
  result.roots.share = MICIUS_SOURCE_DIR;
  return result;
}

// All samples of the task's dataset, prepared by the task.
inline std::vector<Sample> samples_of(const Task& task) {
  const auto dataset = dataset_registry().get(task.dataset.name)(task.dataset, options().roots);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < dataset->size(); ++i) samples.push_back(task.prepare(dataset->at(i)));
  return samples;
}

}  // namespace micius
