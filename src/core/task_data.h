// Which file a task reads its samples from.
#pragma once

#include <string>

#include "core/spec.h"
#include "core/task.h"

namespace micius {

struct TaskData {
  Spec dataset;
  std::string note;  // what a reader of the scores must know; "" if nothing
};

// The task's dataset, or the first of its stand-ins whose file is there. Throws Error{kNotFound} naming the
// task's own file if none is there.
TaskData choose_dataset(const Task& task, const DataRoots& roots);

}  // namespace micius
