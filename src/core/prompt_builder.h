// The layouts of a prompt that tasks share, as lm-eval assembles them.
#pragma once

#include <string>
#include <vector>

#include "core/prompt.h"

namespace micius {

// A question and its answer as they stand in a prompt.
struct Exchange {
  std::string question, answer;
};

struct PromptParts {
  std::string system;       // what the user put before everything, or ""
  std::string description;  // what the task says before everything; brings its own line ends
  std::vector<Exchange> shots;
  std::string question;
  std::string answer_delimiter = " ";   // in text: between a question and its answer
  std::string shot_delimiter = "\n\n";  // in text: between one exchange and the next
};

// Both in a row, with the delimiter between them only if both have text and neither has white space at the
// seam.
std::string join_parts(const std::string& first, const std::string& second, const std::string& delimiter);

// Everything as one text that ends with the question.
std::string prompt_text(const PromptParts& parts);

// The same as chat messages, for `kTurns` (a user and an assistant turn a shot) or `kOneTurn` (the shots'
// text in the user turn). System text and description are one system message; none if both are empty.
std::vector<Message> prompt_messages(const PromptParts& parts, PromptStyle style);

// Weighs each choice after the prompt, in order: behind the answer delimiter in text, on its own in a chat,
// where the assistant's turn begins with it.
LikelihoodInput choice_input(const PromptParts& parts, PromptStyle style,
                             const std::vector<std::string>& choices);

// The same where each choice asks another question and what is weighed is its answer; parts.question is not
// read.
LikelihoodInput filled_input(const PromptParts& parts, PromptStyle style,
                             const std::vector<Exchange>& choices);

}  // namespace micius
