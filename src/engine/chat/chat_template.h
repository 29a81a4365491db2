// Chat templates: messages in, the model's prompt out. A template is Jinja, read and rendered here as Jinja2
// does with the settings of transformers; a construct that is not covered is an error that names it.
//
//   const ChatTemplate chat(source, "model.gguf");
//   ChatInput input;
//   input.messages = chat_messages({{"user", "Why is node 7 idle?"}});
//   const std::string prompt = chat.render(input);
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace micius {

// A template that cannot be read, or that cannot or will not render a conversation. The message has the
// template's name, line and column.
class ChatTemplateError : public Error {
 public:
  enum class Kind { kRaise, kUndefined, kPython, kSyntax, kSecurity, kUnsupported, kLimit };

  ChatTemplateError(Kind kind, std::string detail, const std::string& message);
  Kind kind() const { return kind_; }
  // The reason alone; for kRaise what the template's author wrote.
  const std::string& detail() const { return detail_; }

 private:
  Kind kind_;
  std::string detail_;
};

struct ChatInput {
  Json messages = Json::array();  // objects with role and content
  Json tools, documents;          // null: none
  std::optional<std::string> bos_token, eos_token;
  bool add_generation_prompt = true;            // end with the header of the assistant's answer
  Json variables = Json::object();              // what else the template may read: enable_thinking, ...
  std::chrono::system_clock::time_point now{};  // for strftime_now, in UTC
};

// Immutable; safe from several threads.
class ChatTemplate {
 public:
  // `name` stands in messages. Throws ChatTemplateError{kSyntax | kUnsupported | kLimit}.
  ChatTemplate(std::string_view source, std::string name);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  std::string render(const ChatInput& input) const;

  // Leaves the last message, which must be the assistant's with a text, open: the result ends right behind
  // its content, for the model to go on there. add_generation_prompt does not matter. Throws Error{kUsage}
  // for another last message and Error{kUnsupported} if the template changes that content.
  std::string render_continued(ChatInput input) const;

  // With just these variables, an object. Those that are left out are undefined to the template.
  std::string render(const Json& variables, std::chrono::system_clock::time_point now) const;

 private:
  struct Tree;
  std::string name_;
  std::unique_ptr<const Tree> tree_;
};

struct ChatMessage {
  std::string role, content;
};
Json chat_messages(std::span<const ChatMessage> messages);
Json chat_messages(std::initializer_list<ChatMessage> messages);

}  // namespace micius
