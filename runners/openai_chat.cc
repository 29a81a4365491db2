#include "runners/openai_chat.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kKeptBytes = 2048, kLongestText = std::size_t{4} << 20, kWireStops = 4;

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  return "";
}

Json messages_of(const Request& request) {
  const auto& messages = std::get<GenerateInput>(request.prompt.input).messages;
  Json list = Json::array();
  if (request.style == PromptStyle::kText) {
    std::vector<std::string> contents;
    for (const Message& message : messages) contents.push_back(message.content);
    list.push_back({{"role", "user"}, {"content", join(contents, "\n\n")}});
    return list;
  }
  for (const Message& message : messages)
    list.push_back({{"role", role_name(message.role)}, {"content", message.content}});
  return list;
}

// Reads four hex digits at `offset`.
std::optional<unsigned> hex4(std::string_view text, std::size_t offset) {
  if (offset + 4 > text.size()) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(offset, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

// JSON may not hold half a surrogate pair, but servers that cut tokens send it: it becomes U+FFFD.
std::string with_whole_surrogates(std::string text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    const auto unit = text[i + 1] == 'u' ? hex4(text, i + 2) : std::nullopt;
    if (!unit || *unit < 0xD800 || *unit > 0xDFFF) {
      ++i;
      continue;
    }
    const bool is_high = *unit < 0xDC00 && text.compare(i + 6, 2, "\\u") == 0;
    const auto low = is_high ? hex4(text, i + 8) : std::nullopt;
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      i += 11;
    } else {
      text.replace(i, 6, "\\ufffd");
      i += 5;
    }
  }
  return text;
}

// Absent where the body is not JSON.
std::optional<Json> parse_body(const std::string& body) {
  try {
    return parse_json(with_whole_surrogates(to_valid_utf8(body)), "answer");
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string text_at(const Json& json, const char* key) {
  const auto it = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || it == json.end()) return "";
  return scalar_text(*it).value_or("");
}

std::string kept(std::string_view text) {
  return to_valid_utf8(text.substr(0, std::min(text.size(), kKeptBytes)));
}

// {"error": {..}}, vLLM's older form without it, FastAPI's {"detail": ..}, or no JSON at all.
ApiError described(const std::optional<Json>& json, const std::string& body) {
  ApiError error{ApiErrorKind::kServer, "", "", "", false, std::nullopt};
  if (!json || !json->is_object()) {
    error.message = kept(strip(body));
    return error;
  }
  const auto inner = json->find("error");
  const Json& object = inner != json->end() && inner->is_object() ? *inner : *json;
  error.code = text_at(object, "code");
  if (const std::string type = text_at(object, "type");
      error.code.empty() || error.code.find_first_not_of("0123456789") == std::string::npos)
    error.code = type.empty() ? error.code : type;
  error.field = text_at(object, "param");
  error.message = text_at(object, "message");
  if (error.message.empty() && inner != json->end()) error.message = scalar_text(*inner).value_or("");
  if (error.message.empty() && json->contains("detail")) error.message = dump_json(json->at("detail"));
  error.message = kept(error.message.empty() ? dump_json(*json) : error.message);
  return error;
}

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool has_any_of(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

ApiErrorKind kind_of_request_error(const ApiError& error, const std::string& words) {
  if (is_any_of(error.code, {"context_length_exceeded", "exceed_context_size_error"}) ||
      has_any_of(words, {"maximum context length", "context length is only", "prompt is too long"}))
    return ApiErrorKind::kContextExceeded;
  if (is_any_of(error.code, {"unsupported_parameter", "unsupported_value"}))
    return ApiErrorKind::kUnsupportedField;
  if (is_any_of(error.code, {"content_filter", "content_policy_violation"})) return ApiErrorKind::kRefused;
  if (words.find("credit balance") != std::string::npos) return ApiErrorKind::kQuota;
  return ApiErrorKind::kRequest;
}

ApiErrorKind kind_of(int status, const ApiError& error) {
  const std::string words = lower_ascii(error.message);
  if (status / 100 == 3) return ApiErrorKind::kConfig;
  switch (status) {
    case 401:
    case 403:
      return ApiErrorKind::kAuth;
    case 402:
      return ApiErrorKind::kQuota;
    case 404:
      return ApiErrorKind::kNotFound;
    case 408:
    case 409:
      return ApiErrorKind::kServer;
    case 429:
      if (is_any_of(error.code, {"insufficient_quota", "billing_hard_limit_reached"}))
        return ApiErrorKind::kQuota;
      return words.find("request too large") != std::string::npos ? ApiErrorKind::kRequestTooLarge
                                                                  : ApiErrorKind::kRateLimit;
    case 501:
      return ApiErrorKind::kRequest;
    default:
      return status >= 500 ? ApiErrorKind::kServer : kind_of_request_error(error, words);
  }
}

// "try again in 29.88s", where no header says it.
std::optional<Seconds> wait_in_words(const std::string& message) {
  static constexpr std::string_view kMark = "try again in ";
  const std::string words = lower_ascii(message);
  const std::size_t begin = words.find(kMark);
  if (begin == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(words).substr(begin + kMark.size());
  rest = rest.substr(0, rest.find_first_of(" ,;\n"));
  while (rest.ends_with('.')) rest.remove_suffix(1);
  return parse_reset(rest);
}

ApiError error_of(const HttpHead& head, const std::optional<Json>& json, const std::string& body,
                  std::chrono::system_clock::time_point now) {
  ApiError error = described(json, body);
  error.kind = kind_of(head.status, error);
  error.may_retry = error.kind == ApiErrorKind::kServer || error.kind == ApiErrorKind::kRateLimit;
  if (const auto should = head.header("x-should-retry")) {
    if (*should == "true" || *should == "false") error.may_retry = *should == "true";
  }
  error.wait = retry_after(head, now);
  if (!error.wait && !head.header("retry-after") && !head.header("retry-after-ms"))
    error.wait = wait_in_words(error.message);
  return error;
}

ApiError no_answer(ApiErrorKind kind, std::string message) {
  return {kind, "", "", std::move(message), true, std::nullopt};
}

StopReason stop_reason_of(std::string_view word) {
  if (word == "length") return StopReason::kLength;
  if (word == "content_filter") return StopReason::kContentFilter;
  if (word == "tool_calls" || word == "function_call") return StopReason::kToolCalls;
  return StopReason::kStop;
}

int count_at(const Json& usage, std::string_view path) {
  const Json* value = find_json(usage, path);
  if (value == nullptr || !value->is_number_integer()) return 0;
  const auto count = value->get<std::int64_t>();
  return static_cast<int>(std::clamp<std::int64_t>(count, 0, std::numeric_limits<int>::max()));
}

// A string, or the text parts of a list; absent for null and anything else.
std::optional<std::string> content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return std::nullopt;
  std::string text;
  for (const Json& part : content) text += text_at(part, "text");
  return text;
}

std::variant<ChatAnswer, ApiError> answer_of(const Json& json) {
  const Json* choices = find_json(json, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty())
    return no_answer(ApiErrorKind::kBadResponse, "no choices in " + kept(dump_json(json)));
  const Json& choice = choices->front();
  const Json* message = find_json(choice, "message");
  if (message == nullptr || !message->is_object())
    return no_answer(ApiErrorKind::kBadResponse, "no message in " + kept(dump_json(json)));
  const std::string finish = text_at(choice, "finish_reason");
  if (finish.empty()) return no_answer(ApiErrorKind::kTruncated, "the answer has no finish_reason");
  ChatAnswer answer;
  if (message->contains("content")) answer.text = content_text(message->at("content"));
  if (answer.text && answer.text->size() > kLongestText)
    return no_answer(ApiErrorKind::kBadResponse, fmt::format("a text of {} bytes", answer.text->size()));
  answer.stop_reason = stop_reason_of(finish);
  if (!text_at(*message, "refusal").empty()) answer.stop_reason = StopReason::kContentFilter;
  answer.model = text_at(json, "model");
  if (const Json* usage = find_json(json, "usage"); usage != nullptr && usage->is_object()) {
    answer.prompt_tokens = count_at(*usage, "prompt_tokens");
    answer.cached_tokens = count_at(*usage, "prompt_tokens_details.cached_tokens");
    answer.completion_tokens = count_at(*usage, "completion_tokens");
  }
  return answer;
}

// Of a name such as "openai/gpt-5-mini" too.
bool is_reasoning_model(const std::string& model) {
  const std::string_view name = std::string_view(model).substr(model.rfind('/') + 1);
  static constexpr std::array<std::string_view, 4> kPrefixes = {"o1", "o3", "o4", "gpt-5"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return name.starts_with(prefix) &&
           (name.size() == prefix.size() || name[prefix.size()] == '-' || name[prefix.size()] == '.');
  });
}

}  // namespace

ChatFields chat_fields_for(const std::string& model, const std::string& base_url) {
  ChatFields fields;
  const bool reasons = is_reasoning_model(model);
  if (reasons || base_url.starts_with("https://api.openai.com/")) fields.max_tokens = "max_completion_tokens";
  if (reasons) fields.temperature = fields.top_p = fields.stop = fields.seed = false;
  return fields;
}

bool drop_field(ChatFields& fields, std::string_view name) {
  if (name == fields.max_tokens && !name.empty()) {
    fields.max_tokens = name == "max_tokens" ? "max_completion_tokens" : "";
    return true;
  }
  for (const auto& [field, sent] : {std::pair<std::string_view, bool*>{"temperature", &fields.temperature},
                                    {"top_p", &fields.top_p},
                                    {"stop", &fields.stop},
                                    {"seed", &fields.seed}}) {
    if (name == field) return std::exchange(*sent, false);
  }
  return false;
}

Json chat_body(const Request& request, const std::string& model, const ChatFields& fields) {
  const GenerateOptions& options = request.options;
  Json body = {{"model", model}, {"messages", messages_of(request)}};
  if (!fields.max_tokens.empty()) body[fields.max_tokens] = options.max_tokens;
  if (fields.temperature) body["temperature"] = options.temperature;
  if (options.temperature > 0) {
    if (fields.top_p && options.top_p < 1) body["top_p"] = options.top_p;
    if (options.top_k > 0) body["top_k"] = options.top_k;
    if (options.min_p > 0) body["min_p"] = options.min_p;
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

std::string_view api_error_name(ApiErrorKind kind) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "context_exceeded", "unsupported_field", "auth",    "not_found", "quota",
      "rate_limit",       "request_too_large", "request", "server",    "refused",
      "bad_response",     "truncated",         "config"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::variant<ChatAnswer, ApiError> read_chat(const HttpHead& head, const std::string& body,
                                             std::chrono::system_clock::time_point now) {
  const std::optional<Json> json = parse_body(body);
  if (head.status != 200) return error_of(head, json, body, now);
  if (!json || !json->is_object())
    return no_answer(ApiErrorKind::kBadResponse, "no JSON object: " + kept(strip(body)));
  if (const Json* error = find_json(*json, "error"); error != nullptr && !error->is_null()) {
    ApiError inside = described(json, body);  // a status that the server could not send any more
    inside.kind = ApiErrorKind::kServer;
    inside.may_retry = true;
    return inside;
  }
  return answer_of(*json);
}

bool cut_at_stop(std::string& text, const std::vector<std::string>& stop) {
  std::size_t end = std::string::npos;
  for (const std::string& word : stop) {
    if (!word.empty()) end = std::min(end, text.find(word));
  }
  if (end == std::string::npos) return false;
  text.resize(end);
  return true;
}

std::string without_secret(std::string_view text, std::string_view secret) {
  constexpr std::size_t kShown = 6, kSecret = 8;  // "EMPTY" is no secret
  if (secret.size() < kSecret) return std::string(text);
  std::string safe;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = kShown;
    if (i + length > text.size() || secret.find(text.substr(i, length)) == std::string_view::npos) {
      safe += text[i++];
      continue;
    }
    while (i + length < text.size() && secret.find(text.substr(i, length + 1)) != std::string_view::npos)
      ++length;
    safe += "***";
    i += length;
  }
  return safe;
}

}  // namespace micius
