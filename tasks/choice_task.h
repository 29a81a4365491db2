// Tasks that weigh the choices of a question by likelihood, as lm-eval's multiple_choice does.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/task.h"

namespace micius {

// What one such task says of itself; the rest is shared.
struct ChoiceTask {
  std::string name;  // also the folder of its data
  std::string summary;
  int version = 1;
  Json fields = Json::object();  // loader parameters: which field of a row is what
  std::string evaluated = "test";
  std::vector<std::string> pools = {"train", "validation", "test"};  // splits, in order of preference
  std::vector<std::string> metrics = {"acc_norm", "acc"};
  std::function<Sample(Sample)> prepare;  // sets choices, targets and "gold"
  // All of a prompt that stands before the answer.
  std::function<std::string(const Sample&)> question;
};

// Throws Error{kInvalidData} for params, which such a task has none of.
Task make_choice_task(const ChoiceTask& choice, const TaskOptions& options);

// The sample with "gold" set to the choice whose label is `answer` and the target to its text. Throws
// Error{kInvalidData} naming the field if the labels do not fit the choices or none is the answer.
Sample with_gold(Sample sample, const std::vector<std::string>& labels, const std::string& answer,
                 const std::string& answer_field);

// Throws Error{kInvalidData} beginning "sample 'ID': field 'FIELD'".
[[noreturn]] void fail_sample(const Sample& sample, const std::string& field, const std::string& what);

}  // namespace micius
