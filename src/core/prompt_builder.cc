#include "core/prompt_builder.h"

#include <cassert>
#include <utility>

#include "base/text.h"

namespace micius {
namespace {

std::string shots_and_question(const PromptParts& parts) {
  std::string text;
  for (const Exchange& shot : parts.shots)
    text += shot.question + parts.answer_delimiter + shot.answer + parts.shot_delimiter;
  return text + parts.question;
}

std::string preamble(const PromptParts& parts) {
  return join_parts(parts.system, parts.description, parts.shot_delimiter);
}

}  // namespace

std::string join_parts(const std::string& first, const std::string& second, const std::string& delimiter) {
  if (first.empty() || second.empty()) return first + second;
  std::size_t start = 0;
  const bool blank =
      strip_right(first).size() < first.size() || is_unicode_space(next_code_point(second, start));
  return first + (blank ? "" : delimiter) + second;
}

std::string prompt_text(const PromptParts& parts) { return preamble(parts) + shots_and_question(parts); }

std::vector<Message> prompt_messages(const PromptParts& parts, PromptStyle style) {
  assert(style != PromptStyle::kText);
  std::vector<Message> messages;
  if (std::string text = preamble(parts); !text.empty()) messages.push_back({Role::kSystem, std::move(text)});
  if (style == PromptStyle::kOneTurn) {
    messages.push_back({Role::kUser, shots_and_question(parts)});
    return messages;
  }
  for (const Exchange& shot : parts.shots) {
    messages.push_back({Role::kUser, shot.question});
    messages.push_back({Role::kAssistant, shot.answer});
  }
  messages.push_back({Role::kUser, parts.question});
  return messages;
}

LikelihoodInput filled_input(const PromptParts& parts, PromptStyle style,
                             const std::vector<Exchange>& choices) {
  LikelihoodInput input;
  PromptParts asked = parts;
  for (const Exchange& choice : choices) {
    asked.question = choice.question;
    if (style == PromptStyle::kText) {
      input.pairs.push_back({prompt_text(asked), asked.answer_delimiter + choice.answer});
      continue;
    }
    input.messages = prompt_messages(asked, style);
    input.pairs.push_back({"", choice.answer, input.messages.back().content});
    input.messages.pop_back();
  }
  return input;
}

LikelihoodInput choice_input(const PromptParts& parts, PromptStyle style,
                             const std::vector<std::string>& choices) {
  LikelihoodInput input;
  const bool chat = style != PromptStyle::kText;
  if (chat) input.messages = prompt_messages(parts, style);
  const std::string context = chat ? "" : prompt_text(parts);
  for (const std::string& choice : choices)
    input.pairs.push_back({context, chat ? choice : parts.answer_delimiter + choice});
  return input;
}

}  // namespace micius
