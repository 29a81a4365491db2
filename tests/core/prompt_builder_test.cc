#include "core/prompt_builder.h"

#include <catch2/catch.hpp>

namespace micius {
namespace {

PromptParts example() {
  PromptParts parts;
  parts.description = "Answer:\n\n";
  parts.shots = {{"q1", "a1"}, {"q2", "a2"}};
  parts.question = "q3";
  return parts;
}

}  // namespace

TEST_CASE("a prompt as text") {
  PromptParts parts = example();
  CHECK(prompt_text(parts) == "Answer:\n\nq1 a1\n\nq2 a2\n\nq3");
  parts.system = "Be brief.";
  CHECK(prompt_text(parts) == "Be brief.\n\nAnswer:\n\nq1 a1\n\nq2 a2\n\nq3");
  parts.system = "Be brief.\n";  // white space at the seam: no delimiter
  CHECK(prompt_text(parts) == "Be brief.\nAnswer:\n\nq1 a1\n\nq2 a2\n\nq3");
  parts.system = "Be brief.";
  parts.description = "\xE3\x80\x80x";  // U+3000
  CHECK(prompt_text(parts) == "Be brief.\xE3\x80\x80xq1 a1\n\nq2 a2\n\nq3");
  parts.description = "";
  parts.shots.clear();
  CHECK(prompt_text(parts) == "Be brief.q3");  // as upstream: the description would bring the line ends
}

TEST_CASE("a prompt as messages") {
  const PromptParts parts = example();
  using Messages = std::vector<Message>;
  CHECK(prompt_messages(parts, PromptStyle::kTurns) == Messages{{Role::kSystem, "Answer:\n\n"},
                                                                {Role::kUser, "q1"},
                                                                {Role::kAssistant, "a1"},
                                                                {Role::kUser, "q2"},
                                                                {Role::kAssistant, "a2"},
                                                                {Role::kUser, "q3"}});
  CHECK(prompt_messages(parts, PromptStyle::kOneTurn) ==
        Messages{{Role::kSystem, "Answer:\n\n"}, {Role::kUser, "q1 a1\n\nq2 a2\n\nq3"}});
  CHECK(prompt_messages({"", "", {}, "q"}, PromptStyle::kTurns) == Messages{{Role::kUser, "q"}});
}

TEST_CASE("choices are weighed behind the delimiter in text, on their own in a chat") {
  const PromptParts parts{"", "", {}, "q"};
  const LikelihoodInput text = choice_input(parts, PromptStyle::kText, {"x", "y"});
  CHECK(text.messages.empty());
  CHECK(text.pairs == std::vector<Pair>{{"q", " x"}, {"q", " y"}});
  const LikelihoodInput chat = choice_input(parts, PromptStyle::kTurns, {"x", "y"});
  CHECK(chat.messages == std::vector<Message>{{Role::kUser, "q"}});
  CHECK(chat.pairs == std::vector<Pair>{{"", "x"}, {"", "y"}});
}

TEST_CASE("where each choice asks another question, the answer is weighed behind each") {
  const PromptParts parts{"", "", {{"q1", "a1"}}, ""};
  const std::vector<Exchange> choices = {{"x is", "big"}, {"y is", "big"}};
  const LikelihoodInput text = filled_input(parts, PromptStyle::kText, choices);
  CHECK_FALSE(text.is_chat());
  CHECK(text.pairs == std::vector<Pair>{{"q1 a1\n\nx is", " big"}, {"q1 a1\n\ny is", " big"}});
  const LikelihoodInput chat = filled_input(parts, PromptStyle::kTurns, choices);
  CHECK(chat.messages == std::vector<Message>{{Role::kUser, "q1"}, {Role::kAssistant, "a1"}});
  CHECK(chat.pairs == std::vector<Pair>{{"", "big", "x is"}, {"", "big", "y is"}});
  const LikelihoodInput turn = filled_input(parts, PromptStyle::kOneTurn, choices);
  CHECK(turn.messages.empty());
  CHECK(turn.is_chat());
  CHECK(turn.pairs.back() == Pair{"", "big", "q1 a1\n\ny is"});
}

}  // namespace micius
