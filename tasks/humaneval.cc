#include "tasks/humaneval.h"

#include <string>
#include <utility>

#include "tasks/general_rows.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

// The scorer's tests call the function by its name.
Sample prepare_humaneval(Sample sample) {
  const JsonFields row(sample.extra, sample.where);
  sample.targets = {row.string("test") + "\ncheck(" + row.string("entry_point") + ")"};
  return sample;
}

GenerateTask humaneval_task(const std::string& name) {
  GenerateTask task;
  task.name = name;
  task.dataset = general_file("humaneval", "test", {{"input", "prompt"}, {"unique", "task_id"}});
  task.max_tokens = 1024;
  task.stop = {"\nclass", "\ndef", "\n#", "\nif", "\nprint"};
  task.metrics = pass_metrics();
  task.prepare = prepare_humaneval;
  task.reference = [](const Sample& sample) {
    return JsonFields(sample.extra, sample.where).string("canonical_solution");
  };
  return task;
}

}  // namespace

Task make_humaneval(const TaskOptions& options) {
  GenerateTask task = humaneval_task("humaneval");
  task.summary = "The body of a Python function from its docstring, run against tests";
  task.scorer = {"program", {{"candidate", "prompt"}}};
  task.question = question_of("{{prompt}}");
  return make_generate_task(task, options);
}

Task make_humaneval_instruct(const TaskOptions& options) {
  GenerateTask task = humaneval_task("humaneval_instruct");
  task.summary = "The same, asked for and begun for a model that takes instructions";
  task.version = 4;
  task.scorer = {"program", {{"candidate", "prompt_to_fence"}}};
  task.question = question_of(
      "Write a solution to the following problem and make sure that it passes the tests:\n```python\n"
      "{{prompt}}\n```\n");
  task.prefix = question_of("Here is the completed function:\n```python\n{{prompt}}\n");
  return make_generate_task(task, options);
}

}  // namespace micius
