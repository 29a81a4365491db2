#include "engine/chat_prompt.h"

#include <utility>

namespace micius {

std::string plain_text(std::span<const ChatMessage> messages) {
  std::string text;
  for (const ChatMessage& message : messages) {
    if (&message != messages.data()) text += "\n\n";
    text += message.content;
  }
  return text;
}

ChatPrompt::ChatPrompt(const std::string& source, const std::string& name, const Tokenizer& tokenizer)
    : tokenizer_(&tokenizer) {
  if (!source.empty()) template_.emplace(source, name);
}

std::string ChatPrompt::text(std::span<const ChatMessage> messages) const {
  if (!template_) return plain_text(messages);
  ChatInput input;
  input.messages = chat_messages(messages);
  const auto token = [&](std::optional<TokenId> id) -> std::optional<std::string> {
    if (!id) return std::nullopt;
    return std::string(tokenizer_->bytes(*id));
  };
  input.bos_token = token(tokenizer_->bos());
  input.eos_token = token(tokenizer_->eos());
  const bool goes_on = !messages.empty() && messages.back().role == "assistant";
  return goes_on ? template_->render_continued(std::move(input)) : template_->render(input);
}

}  // namespace micius
