#include "tasks/humaneval.h"

#include <string>
#include <utility>

#include "tasks/choice_task.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

// The scorer's tests call the function by its name.
Sample prepare_humaneval(Sample sample) {
  const JsonFields row(sample.extra, sample.where);
  sample.targets = {row.string("test") + "\ncheck(" + row.string("entry_point") + ")"};
  return sample;
}

}  // namespace

Task make_humaneval(const TaskOptions& options) {
  GenerateTask task;
  task.name = "humaneval";
  task.summary = "The body of a Python function from its docstring, run against tests";
  task.dataset = general_split("humaneval", "test", {{"input", "prompt"}, {"unique", "task_id"}});
  task.max_tokens = 1024;
  task.stop = {"\nclass", "\ndef", "\n#", "\nif", "\nprint"};
  task.scorer = {"program", {{"candidate", "prompt"}}};
  task.metrics = pass_metrics();
  task.prepare = prepare_humaneval;
  task.question = question_of("{{prompt}}");
  task.reference = [](const Sample& sample) {
    return JsonFields(sample.extra, sample.where).string("canonical_solution");
  };
  return make_generate_task(task, options);
}

}  // namespace micius
