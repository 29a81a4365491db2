#include "tasks/gsm8k.h"

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "tasks/general_rows.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

// lm-eval's two ways to read the number: as it was told to be written, and the last one there is.
Spec number_scorer(const std::string& strict_pattern) {
  const Json first = {{"function", "take_first"}};
  const Json strict = {{"function", "regex"}, {"regex_pattern", strict_pattern}};
  const Json last = {
      {"function", "regex"}, {"group_select", -1}, {"regex_pattern", "(-?[$0-9.,]{2,})|(-?[0-9]+)"}};
  return {"exact_match",
          {{"filter_list",
            {{{"name", "strict-match"}, {"filter", {strict, first}}},
             {{"name", "flexible-extract"}, {"filter", {last, first}}}}},
           {"regexes_to_ignore", {",", R"(\$)", "(?s).*#### ", R"(\.$)"}},
           {"ignore_case", true}}};
}

GenerateTask number_task(const std::string& name, const std::string& question,
                         const std::string& strict_pattern) {
  GenerateTask task;
  task.name = name;
  task.version = 3;
  task.dataset = general_file("gsm8k", "test", {{"input", "question"}, {"targets", "answer"}});
  task.scorer = number_scorer(strict_pattern);
  task.metrics = {{"exact_match,strict-match"}, {"exact_match,flexible-extract"}, {"filters_differ"}};
  task.metrics.back().direction = Direction::kLowerIsBetter;
  task.question = question_of(question);
  return task;
}

// A solution ends in "#### 18"; a worked example is its target as it stands.
Sample prepare_cot(Sample sample) {
  std::string& target = sample.targets.front();
  if (sample.extra.contains("target")) return sample;
  const std::size_t mark = target.rfind("####");
  if (mark == std::string::npos) fail_sample(sample, "answer", "no '####' before the number at its end");
  target = strip(target.substr(mark + 4));
  return sample;
}

// What the tasks have in common in which a chain of thought ends in "The answer is 18."
GenerateTask thought_task(const std::string& name, const std::string& question) {
  GenerateTask task = number_task(name, question, R"(The answer is (\-?[0-9\.\,]+).)");
  task.stop = {"Q:", "</s>", "<|im_end|>"};
  task.prepare = prepare_cot;
  task.reference = [](const Sample& sample) { return "The answer is " + sample.targets.front() + "."; };
  return task;
}

}  // namespace

Task make_gsm8k(const TaskOptions& options) {
  GenerateTask task = number_task("gsm8k", "Question: {{question}}\nAnswer:", R"(#### (\-?[0-9\.\,]+))");
  task.summary = "Word problems of grade school, five worked examples";
  task.pools = {{general_file("gsm8k", "train", task.dataset.params)}};
  task.rule = ShotRule::kDraw;
  task.shots = 5;
  task.stop = {"Question:", "</s>", "<|im_end|>"};
  return make_generate_task(task, options);
}

Task make_gsm8k_cot(const TaskOptions& options) {
  GenerateTask task = thought_task("gsm8k_cot", "Q: {{question}}\nA:");
  task.summary = "Word problems of grade school, eight fixed worked examples";
  task.pools = {{general_file("gsm8k", "shots.json", {{"input", "question"}, {"targets", "target"}})}};
  task.shots = 8;
  return make_generate_task(task, options);
}

Task make_gsm8k_cot_zeroshot(const TaskOptions& options) {
  GenerateTask task = thought_task("gsm8k_cot_zeroshot", "Q: {{question}}\nA: Let's think step by step.");
  task.summary = "Word problems of grade school, thought through without examples";
  return make_generate_task(task, options);
}

}  // namespace micius
