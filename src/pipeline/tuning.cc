#include "pipeline/tuning.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "pipeline/judge.h"

namespace micius {
namespace {

using Conversation = std::vector<Message>;

const Conversation& asked(const Turn& turn) { return std::get<GenerateInput>(turn.prompt.input).messages; }

Conversation answered(const Turn& turn) {
  Conversation messages = asked(turn);
  messages.push_back({Role::kAssistant, turn.completion.text});
  return messages;
}

std::vector<Turn> right_turns(const Task& task, const Scorer& scorer, const Sample& sample,
                              std::size_t most) {
  std::vector<Turn> turns;
  while (turns.size() < most) {
    if (!turns.empty()) turns.back().observation = observe(scorer, sample, turns);
    std::optional<Prompt> prompt = task.next(sample, {}, turns);
    if (!prompt) break;
    if (!std::holds_alternative<GenerateInput>(prompt->input)) {
      fail(ErrorCode::kUsage, "task '{}' weighs given answers; there is nothing to train a model to write",
           task.name);
    }
    Turn turn;
    turn.completion.text = task.reference ? task.reference(sample, turns) : sample.targets.front();
    turn.prompt = *std::move(prompt);
    turns.push_back(std::move(turn));
  }
  if (turns.size() < most && !turns.empty()) {
    const Score score = judge(scorer, sample, turns);
    if (score.verdict == Verdict::kUnscored) {
      fail(ErrorCode::kUnsupported, "{}: turn {} cannot be asked: {}", sample.id, turns.size() + 1,
           score.reason);
    }
  }
  return turns;
}

std::string role_name(Role role) {
  return role == Role::kSystem ? "system" : role == Role::kUser ? "user" : "assistant";
}

void put_chat(const Conversation& messages, Json& line) {
  Json list = Json::array();
  for (const Message& message : messages)
    list.push_back({{"role", role_name(message.role)}, {"content", message.content}});
  line["messages"] = std::move(list);
}

// The messages are a system message or none, then user and assistant in turn, the assistant last.
void put_alpaca(const Conversation& messages, Json& line) {
  const bool system = messages.front().role == Role::kSystem;
  Json history = Json::array();
  for (std::size_t i = system ? 1 : 0; i + 2 < messages.size(); i += 2)
    history.push_back({messages[i].content, messages[i + 1].content});
  line["instruction"] = messages[messages.size() - 2].content;
  line["input"] = "";
  line["output"] = messages.back().content;
  line["system"] = system ? messages.front().content : "";
  line["history"] = std::move(history);
}

void put_text(const Conversation& messages, Json& line) {
  std::string text;
  for (const Message& message : messages) {
    if (!text.empty()) text += "\n\n";
    text += message.content;
  }
  line["text"] = std::move(text);
}

}  // namespace

std::vector<Json> tuning_lines(const Task& task, const Scorer& scorer, const Sample& sample,
                               TuningTurns turns, TuningFormat format) {
  const std::size_t most =
      turns == TuningTurns::kFirst ? 1 : std::max<std::size_t>(1, task.turn_max_tokens.size());
  const std::vector<Turn> said = right_turns(task, scorer, sample, most);
  std::vector<Json> lines;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const Conversation messages = answered(said[i]);
    const bool goes_on = i + 1 < said.size() && asked(said[i + 1]).size() > messages.size() &&
                         std::equal(messages.begin(), messages.end(), asked(said[i + 1]).begin());
    if (goes_on) continue;
    Json line = {{"id", sample.id}};
    if (const Json* combo = find_json(sample.extra, "combo")) line["combo"] = *combo;
    line["turn"] = i + 1;
    if (format == TuningFormat::kChat) put_chat(messages, line);
    if (format == TuningFormat::kAlpaca) put_alpaca(messages, line);
    if (format == TuningFormat::kText) put_text(messages, line);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace micius
