#include "core/task_data.h"

#include <fmt/format.h>

#include "core/dataset_file.h"

namespace micius {

TaskData choose_dataset(const Task& task, const DataRoots& roots) {
  if (task.stand_ins.empty() || find_dataset_file(task.dataset, roots)) return {task.dataset, ""};
  for (const StandIn& other : task.stand_ins) {
    if (!find_dataset_file(other.dataset, roots)) continue;
    if (other.warning.empty()) return {other.dataset, ""};
    return {other.dataset,
            fmt::format("not the published split: {} is not there, {} is read: {}",
                        dataset_name(task.dataset), dataset_name(other.dataset), other.warning)};
  }
  require_dataset_file(task.dataset, roots);  // throws
  return {task.dataset, ""};
}

}  // namespace micius
