// Tasks of questions with choices: weighed by likelihood as lm-eval's multiple_choice does or as llama.cpp,
// or asked for by letter.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/prompt_builder.h"
#include "core/task.h"

namespace micius {

struct PartialFile {
  std::string file, warning;  // StandIn::warning
};

// How the letter of a choice is asked for. The question stands first, then the choices behind their letters
// unless it has them, then what is asked.
struct LetterForm {
  std::string ask = "Which of these is right?";
  bool question_has_choices = false;
  // Where empty the question that is weighed, without the "Answer:" at its end.
  std::function<std::string(const Sample&)> question = {};
};

// What one such task says of itself; the rest is shared.
struct ChoiceTask {
  std::string name;
  std::string folder;  // of its data below general/; the name where empty
  std::string summary;
  int version = 1;
  Json fields = Json::object();  // loader parameters: which field of a row is what
  // Names of the evaluated split's file (general_file), the first that is there, and a part of it that stands
  // in for none of them.
  std::vector<std::string> evaluated = {"test"};
  std::optional<PartialFile> part = {};
  // Splits that shots come from, in order of preference, each with the names of its file.
  std::vector<std::vector<std::string>> pools = {{"train"}, {"validation"}, {"test"}};
  ShotRule rule = ShotRule::kDraw;
  int shots = 0;
  std::vector<std::string> metrics = {"acc_norm", "acc"};
  std::string description;                // what stands before everything, with its own line ends
  std::function<Sample(Sample)> prepare;  // sets choices, targets and "gold"
  // All of a prompt that stands before the answer, or:
  std::function<std::string(const Sample&)> question;
  // where the choices stand in the question: the question with this choice in it, and the answer that is
  // weighed behind each of them.
  std::function<Exchange(const Sample&, std::size_t choice)> filled = {};
  std::string answer_delimiter = " ";  // between question and answer
  LetterForm letter = {};
};

// Params, of which a run has at most one:
//   "profile": "llama.cpp"  likelihoods a token, of the tokens that llama.cpp weighs (PairSplit), as text and
//                           without shots unless asked for; the metric is acc_token
//   "form": "letter"        the letter is asked for, in a chat unless told otherwise; the metric is
//   acc_letter
// Throws Error{kUsage} for others.
Task make_choice_task(const ChoiceTask& choice, const TaskOptions& options);

}  // namespace micius
