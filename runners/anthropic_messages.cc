#include "runners/anthropic_messages.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "core/names.h"
#include "net/api_json.h"

namespace micius {
namespace {

StopReason stop_reason_of(std::string_view word) {
  if (word == "max_tokens" || word == "model_context_window_exceeded") return StopReason::kLength;
  if (word == "refusal") return StopReason::kContentFilter;
  if (word == "tool_use") return StopReason::kToolCalls;
  if (word == "pause_turn") return StopReason::kUnfinished;
  return StopReason::kStop;
}

// What is there goes over what was there: a stream says the prompt's tokens first and its own last.
class Usage {
 public:
  void take(const Json& json) {
    const Json* usage = find_json(json, "usage");
    if (usage == nullptr || !usage->is_object()) return;
    for (const auto& [key, count] : {std::pair<const char*, int*>{"input_tokens", &input_},
                                     {"cache_creation_input_tokens", &cache_written_},
                                     {"cache_read_input_tokens", &cached_},
                                     {"output_tokens", &output_}}) {
      if (const auto it = usage->find(key); it != usage->end() && !it->is_null())
        *count = count_at(*usage, key);
    }
  }
  void give(ApiReply& reply) const {
    constexpr int kMost = 1 << 29;  // three of them fit into an int
    reply.prompt_tokens =
        std::min(input_, kMost) + std::min(cache_written_, kMost) + std::min(cached_, kMost);
    reply.cached_tokens = std::min(cached_, kMost);
    reply.cache_write_tokens = std::min(cache_written_, kMost);
    reply.completion_tokens = output_;
  }

 private:
  int input_ = 0, cache_written_ = 0, cached_ = 0, output_ = 0;
};

ApiError bad(std::string message) { return no_answer(ApiErrorKind::kBadResponse, std::move(message)); }

ApiError too_long() { return bad(fmt::format("a text of more than {} bytes", kLongestAnswer)); }

// A number is no text, and no empty one.
bool has_text(const Json& json) { return json.contains("text") && json.at("text").is_string(); }
bool is_text_or_null(const Json& json, const char* key) {
  return !json.contains(key) || json.at(key).is_null() || json.at(key).is_string();
}

ApiReading reply_of(const Json& json) {
  const Json* content = find_json(json, "content");
  if (content == nullptr || !content->is_array()) return bad("no content in " + kept(dump_json(json)));
  ApiReply reply;
  for (const Json& block : *content) {
    if (text_at(block, "type") != "text") continue;
    if (!has_text(block)) return bad("no text in " + kept(dump_json(json)));
    if (!reply.text) reply.text = "";
    *reply.text += text_at(block, "text");
  }
  if (reply.text && reply.text->size() > kLongestAnswer) return too_long();
  if (!is_text_or_null(json, "stop_reason")) return bad("no stop_reason in " + kept(dump_json(json)));
  reply.finish = text_at(json, "stop_reason");
  if (reply.finish.empty()) return no_answer(ApiErrorKind::kTruncated, "the answer has no stop_reason");
  reply.stop_reason = stop_reason_of(reply.finish);
  reply.model = text_at(json, "model");
  Usage usage;
  usage.take(json);
  usage.give(reply);
  return reply;
}

class MessagesStream final : public ApiStream {
 public:
  void take(const SseEvent& event) override;
  bool has_token() const override { return has_token_; }
  bool has_end() const override { return !error_ && !finish_.empty(); }
  bool is_over() const override { return is_over_ || error_; }
  ApiReading reading() const override;

 private:
  struct Block {
    std::string text;
    bool is_text = true, has_ended = false;
  };

  void take_typed(std::string_view type, const Json& json);
  void begin_block(const Json& json);
  void take_delta(const Json& json);
  void spoil(ApiError error) { error_ = std::move(error); }

  std::map<int, Block> blocks_;
  std::size_t bytes_ = 0;
  Usage usage_;
  BodyMarks marks_;
  std::string model_, finish_;
  std::optional<ApiError> error_;
  bool has_token_ = false, is_over_ = false;
};

void MessagesStream::take(const SseEvent& event) {
  if (is_over()) return;
  const std::optional<Json> json = parse_body(event.data, marks_);
  if (!json || !json->is_object()) return spoil(bad("an event is no JSON object: " + kept(event.data)));
  if (error_in(*json) != nullptr) return spoil(error_inside(*json));
  const std::string type = text_at(*json, "type");
  take_typed(type.empty() ? event.name : type, *json);
}

void MessagesStream::take_typed(std::string_view type, const Json& json) {
  if (type == "message_start") {
    if (const Json* message = find_json(json, "message")) {
      model_ = text_at(*message, "model");
      usage_.take(*message);
    }
  } else if (type == "content_block_start") {
    begin_block(json);
  } else if (type == "content_block_delta") {
    take_delta(json);
  } else if (type == "content_block_stop") {
    if (const auto block = blocks_.find(count_at(json, "index")); block != blocks_.end())
      block->second.has_ended = true;
  } else if (type == "message_delta") {
    usage_.take(json);
    if (const Json* delta = find_json(json, "delta")) {
      if (!is_text_or_null(*delta, "stop_reason"))
        return spoil(bad("no stop_reason in " + kept(dump_json(json))));
      if (const std::string reason = text_at(*delta, "stop_reason"); !reason.empty()) finish_ = reason;
    }
  } else if (type == "message_stop") {
    is_over_ = true;
  }
}

void MessagesStream::begin_block(const Json& json) {
  const int index = count_at(json, "index");
  if (blocks_.count(index) != 0) return spoil(bad(fmt::format("block {} begins twice", index)));
  Block& block = blocks_[index];
  const Json* content = find_json(json, "content_block");
  block.is_text = content != nullptr && text_at(*content, "type") == "text";
  if (block.is_text) block.text = text_at(*content, "text");
  bytes_ += block.text.size();
}

void MessagesStream::take_delta(const Json& json) {
  const Json* delta = find_json(json, "delta");
  if (delta == nullptr || !delta->is_object()) return spoil(bad("no delta in " + kept(dump_json(json))));
  const int index = count_at(json, "index");
  const bool is_text = text_at(*delta, "type") == "text_delta";
  Block& block = blocks_.try_emplace(index, Block{"", is_text}).first->second;
  if (block.has_ended || !finish_.empty())
    return spoil(bad(fmt::format("text for block {} comes after its end", index)));
  if (is_text && !has_text(*delta)) return spoil(bad("no text in " + kept(dump_json(json))));
  const std::string text = text_at(*delta, "text");
  has_token_ = has_token_ || !text.empty() || !text_at(*delta, "thinking").empty() ||
               !text_at(*delta, "partial_json").empty();
  if (!is_text) return;
  block.text += text;
  bytes_ += text.size();
  if (bytes_ > kLongestAnswer) spoil(too_long());
}

ApiReading MessagesStream::reading() const {
  if (error_) return *error_;
  if (finish_.empty()) return no_answer(ApiErrorKind::kTruncated, "the stream ended without a stop_reason");
  ApiReply reply;
  for (const auto& [index, block] : blocks_) {
    if (block.is_text) reply.text = reply.text.value_or("") + block.text;
  }
  reply.finish = finish_;
  reply.stop_reason = stop_reason_of(finish_);
  reply.model = model_;
  reply.marks = marks_;
  usage_.give(reply);
  return reply;
}

class MessagesShape final : public ApiShape {
 public:
  explicit MessagesShape(std::string model) : model_(std::move(model)) {}
  std::string path() const override { return "/v1/messages"; }
  Json body(const Request& request, const ApiFields& fields, ApiDelivery delivery) const override {
    Json body = messages_body(request, model_, fields);
    if (delivery == ApiDelivery::kStreamed) body["stream"] = true;
    return body;
  }
  ApiReading read(const HttpHead& head, const std::string& body,
                  std::chrono::system_clock::time_point now) const override {
    return read_messages(head, body, now);
  }
  std::unique_ptr<ApiStream> stream() const override { return messages_stream(); }

 private:
  const std::string model_;
};

}  // namespace

Json messages_body(const Request& request, const std::string& model, const ApiFields& fields) {
  const auto& messages = std::get<GenerateInput>(request.prompt.input).messages;
  const GenerateOptions& options = request.options;
  std::vector<Message> system;
  Json list = Json::array();
  if (request.style == PromptStyle::kText) {
    list.push_back({{"role", "user"}, {"content", one_text(messages)}});
  } else {
    for (const Message& message : messages) {
      if (message.role == Role::kSystem) {
        system.push_back(message);
      } else {
        list.push_back({{"role", name_of(message.role)}, {"content", message.content}});
      }
    }
  }
  Json body = {{"model", model}, {"max_tokens", options.max_tokens}};
  if (!system.empty()) body["system"] = one_text(system);
  body["messages"] = std::move(list);
  if (fields.temperature) body["temperature"] = options.temperature;
  if (options.temperature > 0) {
    if (fields.top_p && options.top_p < 1) body["top_p"] = options.top_p;
    if (fields.top_k && options.top_k > 0) body["top_k"] = options.top_k;
  }
  Json stop = Json::array();
  for (const std::string& word : options.stop) {
    if (!strip(word).empty()) stop.push_back(word);
  }
  if (fields.stop && !stop.empty()) body["stop_sequences"] = std::move(stop);
  return body;
}

ApiReading read_messages(const HttpHead& head, const std::string& body,
                         std::chrono::system_clock::time_point now) {
  BodyMarks marks;
  const auto object = read_object(head, body, now, marks);
  if (const auto* error = std::get_if<ApiError>(&object)) return *error;
  ApiReading reading = reply_of(std::get<Json>(object));
  if (auto* reply = std::get_if<ApiReply>(&reading)) reply->marks = marks;
  return reading;
}

std::unique_ptr<ApiStream> messages_stream() { return std::make_unique<MessagesStream>(); }

std::unique_ptr<ApiShape> messages_shape(const std::string& model) {
  return std::make_unique<MessagesShape>(model);
}

}  // namespace micius
