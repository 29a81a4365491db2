#include "tasks/mmlu_pro.h"

#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "tasks/general_rows.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

const std::vector<std::string> kCategories = {
    "biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history",
    "law",     "math",     "other",     "philosophy",       "physics",   "psychology"};
constexpr std::string_view kLetters = "ABCDEFGHIJ";

Sample prepare_mmlu_pro(Sample sample) {
  if (sample.choices.size() > kLetters.size())
    fail_sample(sample, "options", fmt::format("{} options, at most 10", sample.choices.size()));
  for (std::string& choice : sample.choices) choice = strip(choice);
  const std::string answer = sample.targets.front();
  std::vector<std::string> letters;
  for (const char letter : kLetters.substr(0, sample.choices.size())) letters.emplace_back(1, letter);
  sample = with_gold(std::move(sample), letters, answer, "answer");
  sample.targets = {answer};
  return sample;
}

std::string question(const Sample& sample) {
  std::string text = "Question:\n" + sample.input + "\nOptions:\n";
  for (std::size_t i = 0; i < sample.choices.size(); ++i)
    text += fmt::format("{}. {}\n", kLetters[i], sample.choices[i]);
  return text + "Answer: Let's think step by step.";
}

// lm-eval's way to read the letter, and the benchmark's own: where lm-eval's words are not there, what
// follows "Answer:", else the last letter that stands alone (its authors' script then draws one).
Spec letter_scorer() {
  const Json words = {{"function", "regex"}, {"regex_pattern", R"(answer is \(?([ABCDEFGHIJ])\)?)"}};
  const Json alone = {{"function", "regex"}, {"regex_pattern", R"(\b[A-J]\b)"}, {"group_select", -1}};
  const Json answer = {
      {"function", "regex"}, {"regex_pattern", R"(.*[aA]nswer:\s*([A-J]))"}, {"else", alone}};
  Json official = words;
  official["else"] = answer;
  const Json first = {{"function", "take_first"}};
  return {"exact_match",
          {{"filter_list",
            {{{"name", "custom-extract"}, {"filter", {words, first}}},
             {{"name", "official"}, {"filter", {official, first}}}}},
           {"ignore_case", true},
           {"ignore_punctuation", true}}};
}

Task make_category(const std::string& category, const TaskOptions& options) {
  const Json fields = {{"input", "question"},
                       {"choices", "options"},
                       {"targets", "answer"},
                       {"unique", "question_id"},
                       {"only", {{"field", "category"}, {"values", {category}}}}};
  GenerateTask task;
  task.name = "mmlu_pro_" + replace_all(category, " ", "_");
  task.summary = "MMLU-Pro, " + category + "; reasoning, then the letter";
  task.version = 3;
  task.dataset = general_file("mmlu_pro", "test", fields);
  task.pools = {{general_file("mmlu_pro", "validation", fields)}};
  task.shots = 5;
  task.max_tokens = 2048;
  task.stop = {"Question:"};
  task.scorer = letter_scorer();
  task.metrics = {{"exact_match,custom-extract"}, {"exact_match,official"}, {"filters_differ"}};
  task.metrics.back().direction = Direction::kLowerIsBetter;
  task.description = fmt::format(
      "The following are multiple choice questions (with answers) about {}. Think step by step and then "
      "finish "
      "your answer with \"the answer is (X)\" where X is the correct letter choice.\n",
      category);
  task.prepare = prepare_mmlu_pro;
  task.question = question;
  task.answer = [](const Sample& shot) {
    const std::string worked = JsonFields(shot.extra, shot.where).string("cot_content");
    return replace_all(worked, "A: Let's think step by step. ", "");
  };
  task.reference = [](const Sample& sample) { return "The answer is (" + sample.targets.front() + ")."; };
  return make_generate_task(task, options);
}

}  // namespace

std::vector<Registry<TaskFactory>::Entry> mmlu_pro_tasks() {
  std::vector<Registry<TaskFactory>::Entry> entries;
  for (const std::string& category : kCategories) {
    entries.push_back({"mmlu_pro_" + replace_all(category, " ", "_"), "MMLU-Pro, " + category,
                       [category](const TaskOptions& options) { return make_category(category, options); }});
  }
  return entries;
}

}  // namespace micius
