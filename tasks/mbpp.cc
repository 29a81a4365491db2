#include "tasks/mbpp.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "tasks/choice_task.h"
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

}  // namespace

Task make_mbpp(const TaskOptions& options) {
  const Json fields = {{"input", "text"}, {"targets", "test_list"}, {"unique", "task_id"}};
  Json worked = fields;
  worked["only"] = {{"field", "task_id"}, {"values", {"2", "3", "4"}}};
  Spec shots{"json_list", worked};
  shots.params["path"] = "general/mbpp/shots.json";
  GenerateTask task;
  task.name = "mbpp";
  task.summary = "A Python program from one sentence, run against its tests";
  task.dataset = general_split("mbpp", "test", fields);
  task.pools = {general_split("mbpp", "prompt", worked), shots};
  task.shots = 3;
  task.stop = {"[DONE]"};
  task.scorer = {"program", {{"candidate", "completion"}}};
  task.metrics = pass_metrics();
  task.answer_delimiter = "";
  task.prepare = prepare_mbpp;
  task.question = question_of(
      "You are an expert Python programmer, and here is your task: {{text}} Your code should pass these "
      "tests:\n\n{{test_list.0}}\n{{test_list.1}}\n{{test_list.2}}\n[BEGIN]\n");
  task.answer = [](const Sample& shot) { return code_of(shot) + "\n[DONE]"; };
  task.reference = code_of;
  return make_generate_task(task, options);
}

}  // namespace micius
