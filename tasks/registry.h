// Every built-in task, by name.
#pragma once

#include "core/registry.h"
#include "core/task.h"

namespace micius {

Registry<TaskFactory> task_registry();

}  // namespace micius
