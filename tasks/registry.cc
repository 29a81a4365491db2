#include "tasks/registry.h"

#include "tasks/arc.h"
#include "tasks/infrawise.h"
#include "tasks/openbookqa.h"

namespace micius {

Registry<TaskFactory> task_registry() {
  return {
      "task",
      {
          {"arc_challenge", "School science questions, the hard set", make_arc_challenge},
          {"arc_easy", "School science questions, the easy set", make_arc_easy},
          {"infrawise", "Find the published benchmark records that answer a question", make_infrawise_task},
          {"openbookqa", "Questions about elementary science facts", make_openbookqa},
      }};
}

}  // namespace micius
