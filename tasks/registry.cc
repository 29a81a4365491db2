#include "tasks/registry.h"

#include "tasks/arc.h"
#include "tasks/cmdgen.h"
#include "tasks/infrawise.h"
#include "tasks/nl2kql.h"
#include "tasks/openbookqa.h"
#include "tasks/optiflow.h"
#include "tasks/probe.h"
#include "tasks/robust.h"

namespace micius {
namespace {

template <Task (*make)(const TaskOptions&)>
Task make_robust(const TaskOptions& options) {
  return robust_task(make(options));
}

}  // namespace

Registry<TaskFactory> task_registry() {
  return {
      "task",
      {
          {"aimicius_probe", "Go on with the canary and with test requests word for word; 0 is good",
           make_probe_task},
          {"arc_challenge", "School science questions, the hard set", make_arc_challenge},
          {"arc_easy", "School science questions, the easy set", make_arc_easy},
          {"cmdgen", "Write the shell command for a request about a GPU machine", make_cmdgen_task},
          {"cmdgen:robust", "200 cases of cmdgen, each in three wordings", make_robust<make_cmdgen_task>},
          {"infrawise", "Find the published benchmark records that answer a question", make_infrawise_task},
          {"infrawise:robust", "200 cases of infrawise, each in three wordings",
           make_robust<make_infrawise_task>},
          {"nl2kql", "Write the KQL query for a request about a GPU fleet", make_nl2kql},
          {"nl2kql-public", "Write the KQL query for a published request", make_nl2kql_public},
          {"nl2kql-public:gold", "The same, with the tables of the reference alone", make_nl2kql_public_gold},
          {"nl2kql-public:none", "The same, without a schema", make_nl2kql_public_none},
          {"nl2kql:gold", "The same as nl2kql, with the tables of the reference alone", make_nl2kql_gold},
          {"nl2kql:none", "The same as nl2kql, without a schema", make_nl2kql_none},
          {"nl2kql:robust", "200 cases of nl2kql, each in three wordings", make_robust<make_nl2kql>},
          {"openbookqa", "Questions about elementary science facts", make_openbookqa},
          {"optiflow", "Plan an all-gather on a multi-GPU machine, then improve it", make_optiflow_task},
          {"optiflow:robust", "200 cases of optiflow, each with two numberings of its GPUs",
           make_robust<make_optiflow_task>},
      }};
}

}  // namespace micius
