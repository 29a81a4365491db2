// Tasks that weigh the choices of a question by likelihood, as lm-eval's multiple_choice does.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/prompt_builder.h"
#include "core/task.h"

namespace micius {

// What one such task says of itself; the rest is shared.
struct ChoiceTask {
  std::string name;
  std::string folder;  // of its data below general/; the name where empty
  std::string summary;
  int version = 1;
  Json fields = Json::object();  // loader parameters: which field of a row is what
  std::string evaluated = "test";
  std::vector<std::string> pools = {"train", "validation", "test"};  // splits, in order of preference
  ShotRule rule = ShotRule::kDraw;
  int shots = 0;
  std::vector<StandIn> stand_ins = {};
  std::vector<std::string> metrics = {"acc_norm", "acc"};
  std::string description;                // what stands before everything, with its own line ends
  std::function<Sample(Sample)> prepare;  // sets choices, targets and "gold"
  // All of a prompt that stands before the answer, or:
  std::function<std::string(const Sample&)> question;
  // where the choices stand in the question: the question with this choice in it, and the answer that is
  // weighed behind each of them.
  std::function<Exchange(const Sample&, std::size_t choice)> filled = {};
};

// Throws Error{kInvalidData} for params, which such a task has none of.
Task make_choice_task(const ChoiceTask& choice, const TaskOptions& options);

// The loader's spec of general/<folder>/<split>.jsonl.
Spec general_split(const std::string& folder, const std::string& split, const Json& fields);

// A question from a text with fields to fill in (template.h): "Question: {{goal}}\nAnswer:".
std::function<std::string(const Sample&)> question_of(std::string_view text);

// The sample with "gold" set to the choice whose label is `answer` and the target to its text. Throws
// Error{kInvalidData} naming the field if the labels do not fit the choices or none is the answer.
Sample with_gold(Sample sample, const std::vector<std::string>& labels, const std::string& answer,
                 const std::string& answer_field);

// The same with the choice whose index, from 0, stands in the row's field, as a number or as text.
Sample with_gold_index(Sample sample, const std::string& field);

// Throws Error{kInvalidData} beginning "FILE:LINE: field 'FIELD'".
[[noreturn]] void fail_sample(const Sample& sample, const std::string& field, const std::string& what);

}  // namespace micius
