#include "cli/load_client.h"

#include <fmt/format.h>

#include "base/json.h"

namespace micius {
namespace {

std::optional<std::size_t> count_at(const Json& chunk, std::string_view path) {
  const Json* value = find_json(chunk, path);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  return value->get<std::size_t>();
}

bool has_text(const Json& choice) {
  for (const char* path : {"delta.content", "delta.reasoning_content", "delta.reasoning", "text"}) {
    const Json* text = find_json(choice, path);
    if (text != nullptr && text->is_string() && !text->get_ref<const std::string&>().empty()) return true;
  }
  return false;
}

}  // namespace

bool LoadCall::on_head(const HttpHead& head) {
  status_ = head.status;
  return true;
}

bool LoadCall::on_body(std::string_view bytes) {
  if (status_ != 200) return true;
  const Clock::time_point now = clock_.now();
  for (const SseEvent& event : events_.feed(bytes)) take(event.data, now);
  return !events_.is_too_large();
}

void LoadCall::take(std::string_view data, Clock::time_point now) {
  const Json chunk = Json::parse(data, nullptr, false);
  if (!chunk.is_object()) return;  // [DONE], or nothing that is known
  if (chunk.contains("error") && !chunk["error"].is_null()) error_ = "error in the stream";
  if (const auto count = count_at(chunk, "usage.prompt_tokens")) sample.prompt_tokens = count;
  if (const auto count = count_at(chunk, "usage.completion_tokens")) sample.completion_tokens = count;
  const Json* choice = find_json(chunk, "choices.0");
  if (choice == nullptr) return;
  if (has_text(*choice)) sample.pieces.push_back(now);
  const Json* finish = find_json(*choice, "finish_reason");
  is_whole_ = is_whole_ || (finish != nullptr && !finish->is_null());
}

void LoadCall::on_done(const HttpResult& result) {
  sample.done = clock_.now();
  if (result.failure) {
    sample.failure = http_failure_name(*result.failure);
  } else if (status_ != 200) {
    sample.failure = fmt::format("HTTP {}", status_);
  } else if (!error_.empty()) {
    sample.failure = error_;
  } else if (!is_whole_) {
    sample.failure = "no end of the stream";
  }
  on_end_(*this);
}

}  // namespace micius
