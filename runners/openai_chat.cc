#include "runners/openai_chat.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "base/text.h"
#include "core/names.h"
#include "net/api_json.h"

namespace micius {
namespace {

constexpr std::size_t kWireStops = 4;

Json messages_of(const Request& request) {
  const auto& messages = std::get<GenerateInput>(request.prompt.input).messages;
  Json list = Json::array();
  if (request.style == PromptStyle::kText) {
    list.push_back({{"role", "user"}, {"content", one_text(messages)}});
    return list;
  }
  for (const Message& message : messages)
    list.push_back({{"role", name_of(message.role)}, {"content", message.content}});
  return list;
}

StopReason stop_reason_of(std::string_view word) {
  if (word == "length") return StopReason::kLength;
  if (word == "content_filter") return StopReason::kContentFilter;
  if (word == "tool_calls" || word == "function_call") return StopReason::kToolCalls;
  return StopReason::kStop;
}

void take_usage(const Json& json, ApiReply& reply) {
  const Json* usage = find_json(json, "usage");
  if (usage == nullptr || !usage->is_object()) return;
  reply.prompt_tokens = count_at(*usage, "prompt_tokens");
  reply.cached_tokens = count_at(*usage, "prompt_tokens_details.cached_tokens");
  reply.cache_write_tokens = count_at(*usage, "prompt_tokens_details.cache_write_tokens");
  reply.completion_tokens = count_at(*usage, "completion_tokens");
}

ApiError too_long() {
  return no_answer(ApiErrorKind::kBadResponse, fmt::format("a text of more than {} bytes", kLongestAnswer));
}

// Is what a choice says of the kind that it must be, if it is there? A number is no text, and no empty one.
bool is_well_typed(const Json& choice, const Json& said) {
  const auto finish = choice.find("finish_reason");
  const auto content = said.find("content");
  return (finish == choice.end() || finish->is_null() || finish->is_string()) &&
         (content == said.end() || content->is_null() || content->is_string() || content->is_array());
}

ApiReading reply_of(const Json& json) {
  const Json* choices = find_json(json, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty())
    return no_answer(ApiErrorKind::kBadResponse, "no choices in " + kept(dump_json(json)));
  const Json& choice = choices->front();
  const Json* message = find_json(choice, "message");
  if (message == nullptr || !message->is_object())
    return no_answer(ApiErrorKind::kBadResponse, "no message in " + kept(dump_json(json)));
  if (!is_well_typed(choice, *message))
    return no_answer(ApiErrorKind::kBadResponse, "no text or reason in " + kept(dump_json(json)));
  ApiReply reply;
  reply.finish = text_at(choice, "finish_reason");
  if (reply.finish.empty()) return no_answer(ApiErrorKind::kTruncated, "the answer has no finish_reason");
  if (message->contains("content")) reply.text = content_text(message->at("content"));
  if (reply.text && reply.text->size() > kLongestAnswer) return too_long();
  reply.stop_reason = stop_reason_of(reply.finish);
  if (!text_at(*message, "refusal").empty()) reply.stop_reason = StopReason::kContentFilter;
  reply.model = text_at(json, "model");
  reply.fingerprint = text_at(json, "system_fingerprint");
  take_usage(json, reply);
  return reply;
}

class ChatStream final : public ApiStream {
 public:
  void take(const SseEvent& event) override;
  bool has_token() const override { return has_token_; }
  bool has_end() const override { return !error_ && !reply_.finish.empty(); }
  bool is_over() const override { return is_over_ || error_; }
  ApiReading reading() const override;

 private:
  void take_choice(const Json& choice);
  void take_text(const std::string& text);
  void spoil(ApiError error) { error_ = std::move(error); }

  ApiReply reply_;
  std::optional<ApiError> error_;
  bool is_refused_ = false, has_token_ = false, is_over_ = false;
};

void ChatStream::take(const SseEvent& event) {
  if (is_over()) return;
  if (event.data.starts_with("[DONE]")) {
    is_over_ = true;
    return;
  }
  const std::optional<Json> json = parse_body(event.data, reply_.marks);
  if (!json || !json->is_object())
    return spoil(no_answer(ApiErrorKind::kBadResponse, "an event is no JSON object: " + kept(event.data)));
  if (error_in(*json) != nullptr) return spoil(error_inside(*json));
  if (const std::string model = text_at(*json, "model"); !model.empty()) reply_.model = model;
  if (const std::string print = text_at(*json, "system_fingerprint"); !print.empty())
    reply_.fingerprint = print;
  take_usage(*json, reply_);
  const Json* choices = find_json(*json, "choices");
  if (choices == nullptr || choices->is_null()) return;
  if (!choices->is_array())
    return spoil(no_answer(ApiErrorKind::kBadResponse, "choices is no list: " + kept(event.data)));
  for (const Json& choice : *choices) {
    if (!error_) take_choice(choice);
  }
}

void ChatStream::take_choice(const Json& choice) {
  if (!choice.is_object())
    return spoil(no_answer(ApiErrorKind::kBadResponse, "a choice is no object: " + kept(dump_json(choice))));
  if (count_at(choice, "index") != 0) return;  // only one was asked for
  if (choice.contains("text")) take_text(text_at(choice, "text"));
  if (const auto delta = choice.find("delta"); delta != choice.end() && delta->is_object()) {
    if (!is_well_typed(choice, *delta))
      return spoil(no_answer(ApiErrorKind::kBadResponse, "no text or reason in " + kept(dump_json(choice))));
    if (const auto content = delta->find("content"); content != delta->end()) {
      if (const auto text = content_text(*content)) take_text(*text);
    }
    is_refused_ = is_refused_ || !text_at(*delta, "refusal").empty();
    has_token_ = has_token_ || !text_at(*delta, "reasoning_content").empty() ||
                 !text_at(*delta, "reasoning").empty() || is_refused_;
  }
  if (const std::string finish = text_at(choice, "finish_reason"); !finish.empty()) reply_.finish = finish;
}

void ChatStream::take_text(const std::string& text) {
  if (!text.empty() && !reply_.finish.empty())
    return spoil(no_answer(ApiErrorKind::kBadResponse, "text comes after the finish_reason"));
  if (!reply_.text) reply_.text = "";
  *reply_.text += text;
  has_token_ = has_token_ || !text.empty();
  if (reply_.text->size() > kLongestAnswer) spoil(too_long());
}

ApiReading ChatStream::reading() const {
  if (error_) return *error_;
  if (reply_.finish.empty())
    return no_answer(ApiErrorKind::kTruncated, "the stream ended without a finish_reason");
  ApiReply reply = reply_;
  reply.stop_reason = is_refused_ ? StopReason::kContentFilter : stop_reason_of(reply.finish);
  return reply;
}

class ChatShape final : public ApiShape {
 public:
  explicit ChatShape(std::string model) : model_(std::move(model)) {}
  std::string path() const override { return "/chat/completions"; }
  Json body(const Request& request, const ApiFields& fields, ApiDelivery delivery) const override {
    Json body = chat_body(request, model_, fields);
    if (delivery == ApiDelivery::kWhole) return body;
    body["stream"] = true;
    if (fields.stream_options) body["stream_options"] = {{"include_usage", true}};
    return body;
  }
  ApiReading read(const HttpHead& head, const std::string& body,
                  std::chrono::system_clock::time_point now) const override {
    return read_chat(head, body, now);
  }
  std::unique_ptr<ApiStream> stream() const override { return chat_stream(); }

 private:
  const std::string model_;
};

}  // namespace

bool is_reasoning_model(const std::string& model) {
  const std::string_view name = std::string_view(model).substr(model.rfind('/') + 1);
  static constexpr std::array<std::string_view, 4> kPrefixes = {"o1", "o3", "o4", "gpt-5"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return name.starts_with(prefix) &&
           (name.size() == prefix.size() || name[prefix.size()] == '-' || name[prefix.size()] == '.');
  });
}

ApiFields chat_fields_for(const std::string& model, const std::string& base_url) {
  ApiFields fields;
  const bool reasons = is_reasoning_model(model);
  const bool is_openai = base_url.starts_with("https://api.openai.com/");
  if (reasons || is_openai) fields.max_tokens = "max_completion_tokens";
  if (reasons) fields.temperature = fields.top_p = fields.stop = fields.seed = false;
  return fields;
}

Json chat_body(const Request& request, const std::string& model, const ApiFields& fields) {
  const GenerateOptions& options = request.options;
  Json body = {{"model", model}, {"messages", messages_of(request)}};
  if (!fields.max_tokens.empty()) body[fields.max_tokens] = options.max_tokens;
  if (fields.temperature) body["temperature"] = options.temperature;
  if (options.temperature > 0) {
    if (fields.top_p && options.top_p < 1) body["top_p"] = options.top_p;
    if (fields.top_k && options.top_k > 0) body["top_k"] = options.top_k;
    if (fields.min_p && options.min_p > 0) body["min_p"] = options.min_p;
    // 31 bits: some servers read a signed 32-bit number.
    if (fields.seed) body["seed"] = Rng(fmt::format("{}/sampling/{}", options.seed, options.stream))() >> 33;
  }
  if (fields.stop && !options.stop.empty()) {
    body["stop"] = std::vector<std::string>(
        options.stop.begin(),
        options.stop.begin() + static_cast<std::ptrdiff_t>(std::min(kWireStops, options.stop.size())));
  }
  return body;
}

ApiReading read_chat(const HttpHead& head, const std::string& body,
                     std::chrono::system_clock::time_point now) {
  BodyMarks marks;
  const auto object = read_object(head, body, now, marks);
  if (const auto* error = std::get_if<ApiError>(&object)) return *error;
  ApiReading reading = reply_of(std::get<Json>(object));
  if (auto* reply = std::get_if<ApiReply>(&reading)) reply->marks = marks;
  return reading;
}

std::unique_ptr<ApiStream> chat_stream() { return std::make_unique<ChatStream>(); }

std::unique_ptr<ApiShape> chat_shape(const std::string& model) { return std::make_unique<ChatShape>(model); }

}  // namespace micius
