#include "engine/chat/chat_template.h"

#include <ctime>
#include <utility>

#include "base/text.h"
#include "engine/chat/interpreter.h"
#include "engine/chat/parser.h"

namespace micius {

struct ChatTemplate::Tree {
  jinja::Body body;
};

namespace {

using Kind = ChatTemplateError::Kind;

[[noreturn]] void fail_at(const std::string& name, const jinja::Failure& failure, jinja::Position at) {
  static constexpr Kind kKinds[] = {Kind::kRaise,    Kind::kUndefined,   Kind::kPython, Kind::kSyntax,
                                    Kind::kSecurity, Kind::kUnsupported, Kind::kLimit};
  const Kind kind = kKinds[static_cast<int>(failure.kind)];
  std::string what = failure.message;
  if (kind == Kind::kPython) what = failure.type + ": " + what;
  if (kind == Kind::kUnsupported) what += " is not covered";
  throw ChatTemplateError(kind, failure.message,
                          fmt::format("chat template of {}:{}:{}: {}", name, at.line, at.column, what));
}

std::string strftime_utc(const std::string& format, std::chrono::system_clock::time_point now) {
  constexpr std::size_t kMaxFormat = 256;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  char text[2048];
  if (format.empty()) return {};
  if (format.size() > kMaxFormat || gmtime_r(&seconds, &parts) == nullptr)
    jinja::raise(jinja::FailureKind::kLimit, "a date format of more than {} bytes", kMaxFormat);
  const std::size_t size = std::strftime(text, sizeof text, format.c_str(), &parts);
  return std::string(text, size);
}

// A text of private characters that stands nowhere in `json`.
std::string absent_mark(const Json& json) {
  const std::string text = dump_json(json);
  std::string mark = "\xEE\x80\x80";
  while (text.find(mark) != std::string::npos) mark += "\xEE\x80\x81";
  return mark;
}

}  // namespace

ChatTemplateError::ChatTemplateError(Kind kind, std::string detail, const std::string& message)
    : Error(kind == Kind::kUnsupported ? ErrorCode::kUnsupported : ErrorCode::kInvalidData, message),
      kind_(kind),
      detail_(std::move(detail)) {}

ChatTemplate::ChatTemplate(std::string_view source, std::string name) : name_(std::move(name)) {
  constexpr std::size_t kMaxSource = std::size_t{1} << 20;
  try {
    if (source.size() > kMaxSource)
      throw jinja::ReadFailure{
          {jinja::FailureKind::kLimit, fmt::format("more than {} bytes", kMaxSource), {}}, {}};
    tree_ = std::make_unique<const Tree>(Tree{jinja::parse(source)});
  } catch (const jinja::ReadFailure& failure) {
    fail_at(name_, failure.failure, failure.at);
  }
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const Json& variables, std::chrono::system_clock::time_point now) const {
  jinja::Interpreter interpreter([now](const std::string& format) { return strftime_utc(format, now); });
  try {
    std::vector<std::pair<std::string, jinja::Value>> values;
    for (const auto& [name, value] : variables.items())
      values.emplace_back(name, jinja::Value::from_json(value));
    return interpreter.render(tree_->body, values);
  } catch (const jinja::Failure& failure) {
    fail_at(name_, failure, interpreter.position());
  }
}

std::string ChatTemplate::render(const ChatInput& input) const {
  Json variables = {{"messages", input.messages},
                    {"tools", input.tools},
                    {"documents", input.documents},
                    {"add_generation_prompt", input.add_generation_prompt}};
  if (input.bos_token) variables["bos_token"] = *input.bos_token;
  if (input.eos_token) variables["eos_token"] = *input.eos_token;
  for (const auto& [name, value] : input.variables.items()) variables[name] = value;
  return render(variables, input.now);
}

std::string ChatTemplate::render_continued(ChatInput input) const {
  const bool open = input.messages.is_array() && !input.messages.empty() &&
                    input.messages.back().is_object() &&
                    input.messages.back().value("role", Json()) == "assistant" &&
                    input.messages.back().value("content", Json()).is_string();
  if (!open)
    fail(ErrorCode::kUsage, "only a conversation whose last message is the assistant's text goes on");
  // A mark behind the content shows where it ends, also if it is empty or ends with blanks.
  const std::string mark = absent_mark(input.messages);
  Json& last = input.messages.back()["content"];
  const std::string content = last.get<std::string>();
  last = content + mark;
  input.add_generation_prompt = false;
  std::string text = render(input);
  const std::size_t end = text.rfind(mark);
  std::size_t begin = 0;  // of the content without blanks before it, which templates may strip
  for (std::size_t i = 0; i < content.size(); begin = i) {
    if (!is_unicode_space(next_code_point(content, i))) break;
  }
  const std::string_view core = std::string_view(content).substr(begin);
  if (end == std::string::npos || end < core.size() ||
      text.compare(end - core.size(), core.size(), core) != 0) {
    fail(ErrorCode::kUnsupported,
         "chat template of {}: it changes the assistant's last message, so the model "
         "cannot go on there",
         name_);
  }
  text.resize(end);
  return text;
}

Json chat_messages(std::span<const ChatMessage> messages) {
  Json out = Json::array();
  for (const ChatMessage& message : messages)
    out.push_back({{"role", message.role}, {"content", message.content}});
  return out;
}

Json chat_messages(std::initializer_list<ChatMessage> messages) {
  return chat_messages(std::span<const ChatMessage>(messages.begin(), messages.size()));
}

}  // namespace micius
