#include "tasks/registry.h"

#include "tasks/arc.h"
#include "tasks/cmdgen.h"
#include "tasks/infrawise.h"
#include "tasks/openbookqa.h"
#include "tasks/optiflow.h"

namespace micius {

Registry<TaskFactory> task_registry() {
  return {
      "task",
      {
          {"arc_challenge", "School science questions, the hard set", make_arc_challenge},
          {"arc_easy", "School science questions, the easy set", make_arc_easy},
          {"cmdgen", "Write the shell command for a request about a GPU machine", make_cmdgen_task},
          {"infrawise", "Find the published benchmark records that answer a question", make_infrawise_task},
          {"openbookqa", "Questions about elementary science facts", make_openbookqa},
          {"optiflow", "Plan an all-gather on a multi-GPU machine, then improve it", make_optiflow_task},
      }};
}

}  // namespace micius
