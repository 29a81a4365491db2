// What the model reads.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace micius {

enum class Role { kSystem, kUser, kAssistant };

struct Message {
  Role role;
  std::string content;
  bool operator==(const Message&) const = default;
};

// A continuation weighed after a context: log P(continuation | context). `question`: in a conversation, the
// user's last message, where each pair has its own.
struct Pair {
  std::string context;
  std::string continuation;
  std::string question = {};
  bool operator==(const Pair&) const = default;
};

// A conversation to go on with. If the last message is the assistant's, the model continues it.
struct GenerateInput {
  std::vector<Message> messages;
  bool operator==(const GenerateInput&) const = default;
};

// Which tokens of a pair are weighed.
//   kContext       those behind as many as the context has, as lm-eval
//   kCommonPrefix  those behind the ones with which all pairs begin, as llama.cpp's hellaswag and
//                  multiple-choice
//   kTrailing      those behind the pair's context but for the last, as llama.cpp's winogrande; where a pair
//                  has no more than three behind the common ones, those behind the common ones
enum class PairSplit { kContext, kCommonPrefix, kTrailing };

// Pairs to weigh, in choice order. With `messages`, or questions of pairs behind them, the runner puts what
// its chat template makes of them (with the generation prompt) before every pair's context; such a prompt
// needs a runner with a template.
struct LikelihoodInput {
  std::vector<Message> messages;
  std::vector<Pair> pairs;
  PairSplit split = PairSplit::kContext;
  bool asks_own_questions() const { return !pairs.empty() && !pairs.front().question.empty(); }
  bool is_chat() const { return !messages.empty() || asks_own_questions(); }
  bool operator==(const LikelihoodInput&) const = default;
};

// Exactly what is asked in one turn.
struct Prompt {
  std::string sample_id;
  std::variant<GenerateInput, LikelihoodInput> input;
  bool operator==(const Prompt&) const = default;
};

// How a task lays out its prompt. `kText`: plain text, shots in the text. `kTurns`: chat messages, a shot is
// a user and an assistant turn. `kOneTurn`: chat messages, the shots in the text of one user turn.
enum class PromptStyle { kText, kTurns, kOneTurn };

}  // namespace micius
