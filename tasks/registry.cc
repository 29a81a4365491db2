#include "tasks/registry.h"

namespace micius {

Registry<TaskFactory> task_registry() { return {"task", {}}; }

}  // namespace micius
