#include "tasks/mbpp.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "tasks/general_rows.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

constexpr std::size_t kShown = 3;  // tests in the prompt; all of them are run

Sample prepare_mbpp(Sample sample) {
  if (sample.targets.size() < kShown)
    fail_sample(sample, "test_list", fmt::format("{} tests, at least 3", sample.targets.size()));
  sample.targets = {join(sample.targets, "\n")};
  return sample;
}

// With the line ends of the source, CRLF.
std::string code_of(const Sample& sample) { return JsonFields(sample.extra, sample.where).string("code"); }

GenerateTask mbpp_task(const std::string& name) {
  const Json fields = {{"input", "text"}, {"targets", "test_list"}, {"unique", "task_id"}};
  Json worked = fields;
  worked["only"] = {{"field", "task_id"}, {"values", {"2", "3", "4"}}};
  GenerateTask task;
  task.name = name;
  task.dataset = general_file("mbpp", "test", fields);
  task.pools = {{general_file("mbpp", "prompt", worked)}, {general_file("mbpp", "shots.json", worked)}};
  task.shots = 3;
  task.metrics = pass_metrics();
  task.answer_delimiter = "";
  task.prepare = prepare_mbpp;
  return task;
}

}  // namespace

Task make_mbpp(const TaskOptions& options) {
  GenerateTask task = mbpp_task("mbpp");
  task.summary = "A Python program from one sentence, run against its tests";
  task.stop = {"[DONE]"};
  task.scorer = {"program", {{"candidate", "completion"}}};
  task.question = question_of(
      "You are an expert Python programmer, and here is your task: {{text}} Your code should pass these "
      "tests:\n\n{{test_list.0}}\n{{test_list.1}}\n{{test_list.2}}\n[BEGIN]\n");
  task.answer = [](const Sample& shot) { return code_of(shot) + "\n[DONE]"; };
  task.reference = code_of;
  return make_generate_task(task, options);
}

Task make_mbpp_instruct(const TaskOptions& options) {
  const JsonFields params(options.params, "mbpp_instruct");
  params.only({"lm_eval_bug"});
  const bool bug = params.boolean_or("lm_eval_bug", false);
  TaskOptions rest = options;
  rest.params = Json::object();
  GenerateTask generate = mbpp_task("mbpp_instruct");
  generate.summary = "The same in a fence, for a model that takes instructions";
  generate.scorer = {"program", {{"candidate", "fence"}, {"lm_eval_bug", bug}}};
  generate.question = question_of(
      "You are an expert Python programmer, and here is your task:\n{{text}}\nYour code should pass these "
      "tests:\n{{test_list.0}}\n{{test_list.1}}\n{{test_list.2}}");
  generate.prefix = [](const Sample&) { return std::string("\n```python\n"); };
  generate.answer = [](const Sample& shot) { return code_of(shot) + "\n```"; };
  generate.reference = generate.answer;
  Task task = make_generate_task(generate, rest);
  if (bug) task.params["lm_eval_bug"] = true;
  return task;
}

}  // namespace micius
