// The text that a model reads for a conversation.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "engine/chat/chat_template.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

// The contents joined by blank lines: what a model without a template reads.
std::string plain_text(std::span<const ChatMessage> messages);

class ChatPrompt {
 public:
  // `source`: the model's chat template, empty where it has none; `name` stands in messages. `tokenizer` must
  // outlive this. Throws ChatTemplateError for a template that cannot be read.
  ChatPrompt(const std::string& source, const std::string& name, const Tokenizer& tokenizer);

  bool has_template() const { return template_.has_value(); }

  // What the template makes of the messages, with the header of the answer behind them or, where the last one
  // is the assistant's, open for the model to go on. Without a template their contents joined by blank lines.
  // Throws ChatTemplateError if the template refuses them.
  std::string text(std::span<const ChatMessage> messages) const;

 private:
  std::optional<ChatTemplate> template_;
  const Tokenizer* tokenizer_;
};

}  // namespace micius
