#include "tasks/registry.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tasks/arc.h"
#include "tasks/bbh.h"
#include "tasks/boolq.h"
#include "tasks/cmdgen.h"
#include "tasks/gsm8k.h"
#include "tasks/hellaswag.h"
#include "tasks/humaneval.h"
#include "tasks/infrawise.h"
#include "tasks/lambada.h"
#include "tasks/logiqa.h"
#include "tasks/math.h"
#include "tasks/mbpp.h"
#include "tasks/mmlu.h"
#include "tasks/mmlu_pro.h"
#include "tasks/nl2kql.h"
#include "tasks/openbookqa.h"
#include "tasks/optiflow.h"
#include "tasks/piqa.h"
#include "tasks/probe.h"
#include "tasks/robust.h"
#include "tasks/sciq.h"
#include "tasks/winogrande.h"

namespace micius {
namespace {

template <Task (*make)(const TaskOptions&)>
Task make_robust(const TaskOptions& options) {
  return robust_task(make(options));
}

std::vector<Registry<TaskFactory>::Entry> single_tasks() {
  return {
      {"aimicius_probe", "Go on with the canary and with test requests word for word; 0 is good",
       make_probe_task},
      {"arc_challenge", "School science questions, the hard set", make_arc_challenge},
      {"arc_easy", "School science questions, the easy set", make_arc_easy},
      {"boolq", "Questions about a passage, yes or no", make_boolq},
      {"cmdgen", "Write the shell command for a request about a GPU machine", make_cmdgen_task},
      {"cmdgen:robust", "200 cases of cmdgen, each in three wordings", make_robust<make_cmdgen_task>},
      {"gsm8k", "Word problems of grade school", make_gsm8k},
      {"gsm8k_cot", "The same with eight fixed worked examples", make_gsm8k_cot},
      {"gsm8k_cot_zeroshot", "The same without examples, thought through", make_gsm8k_cot_zeroshot},
      {"hellaswag", "How does a scene go on?", make_hellaswag},
      {"humaneval", "The body of a Python function from its docstring", make_humaneval},
      {"humaneval_instruct", "The same for models that take instructions", make_humaneval_instruct},
      {"infrawise", "Find the published benchmark records that answer a question", make_infrawise_task},
      {"infrawise:robust", "200 cases of infrawise, each in three wordings",
       make_robust<make_infrawise_task>},
      {"lambada_openai", "The last word of a passage", make_lambada_openai},
      {"logiqa", "Questions of logical reading", make_logiqa},
      {"mbpp", "A Python program from one sentence", make_mbpp},
      {"mbpp_instruct", "The same for models that take instructions", make_mbpp_instruct},
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
      {"piqa", "Which of two ways reaches an everyday goal?", make_piqa},
      {"sciq", "Science exam questions with a passage", make_sciq},
      {"winogrande", "Which of two names fills the gap of a sentence?", make_winogrande},
  };
}

}  // namespace

Registry<TaskFactory> task_registry() {
  std::vector<Registry<TaskFactory>::Entry> tasks = single_tasks();
  for (auto& family :
       {bbh_tasks(), hendrycks_math_tasks(), minerva_math_tasks(), mmlu_tasks(), mmlu_pro_tasks()}) {
    tasks.insert(tasks.end(), family.begin(), family.end());
  }
  std::sort(tasks.begin(), tasks.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return {"task", std::move(tasks)};
}

}  // namespace micius
