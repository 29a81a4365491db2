#include "net/api_error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

#include "base/text.h"
#include "net/api_json.h"

namespace micius {
namespace {

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool has_any_of(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

// {"error": {..}}, vLLM's older form without it, FastAPI's {"detail": ..}, or no JSON at all.
ApiError described(const std::optional<Json>& json, const std::string& body) {
  ApiError error{ApiErrorKind::kServer, 0, "", "", "", false, std::nullopt};
  if (!json || !json->is_object()) {
    error.message = kept(strip(body));
    return error;
  }
  const Json* inner = error_in(*json);
  const Json& object = inner != nullptr && inner->is_object() ? *inner : *json;
  error.code = text_at(object, "code");
  if (const std::string type = text_at(object, "type");
      error.code.empty() || error.code.find_first_not_of("0123456789") == std::string::npos)
    error.code = type.empty() ? error.code : type;
  error.field = text_at(object, "param");
  error.message = text_at(object, "message");
  if (error.message.empty() && inner != nullptr) error.message = scalar_text(*inner).value_or("");
  if (error.message.empty() && json->contains("detail")) error.message = dump_json(json->at("detail"));
  error.message = kept(error.message.empty() ? dump_json(*json) : error.message);
  return error;
}

// A field of ours that the words say is not taken, where no code says it: older OpenAI and Azure
// ("Unrecognized request argument supplied: top_k"), Anthropic ("top_p: Extra inputs are not permitted",
// "`temperature` and `top_p` cannot both be specified").
std::string refused_field(const std::string& words) {
  if (!has_any_of(words, {"unrecognized request argument", "extra inputs are not permitted", "cannot both be",
                          "not supported", "unsupported", "deprecated", "does not support"}))
    return "";
  std::string found;
  for (const char* field : {"max_completion_tokens", "max_tokens", "temperature", "top_p", "top_k", "min_p",
                            "stop_sequences", "seed", "stream_options"}) {
    if (words.find(field) != std::string::npos) found = field;
  }
  return found;
}

ApiErrorKind kind_of_request_error(ApiError& error, const std::string& words) {
  if (is_any_of(error.code, {"context_length_exceeded", "exceed_context_size_error"}) ||
      has_any_of(words, {"maximum context length", "context length is only", "prompt is too long"}))
    return ApiErrorKind::kContextExceeded;
  if (is_any_of(error.code, {"unsupported_parameter", "unsupported_value"}))
    return ApiErrorKind::kUnsupportedField;
  if (is_any_of(error.code, {"content_filter", "content_policy_violation"})) return ApiErrorKind::kRefused;
  if (words.find("credit balance") != std::string::npos) return ApiErrorKind::kQuota;
  if (const std::string field = refused_field(words); !field.empty()) {
    error.field = field;
    return ApiErrorKind::kUnsupportedField;
  }
  return ApiErrorKind::kRequest;
}

ApiErrorKind kind_of(ApiError& error) {
  const std::string words = lower_ascii(error.message);
  if (error.status / 100 == 3) return ApiErrorKind::kConfig;
  switch (error.status) {
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
      return error.status >= 500 ? ApiErrorKind::kServer : kind_of_request_error(error, words);
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

void classify(ApiError& error) {
  error.kind = kind_of(error);
  error.may_retry = error.kind == ApiErrorKind::kServer || error.kind == ApiErrorKind::kRateLimit;
}

// The status that an error inside a 200 would have had: its own number, or by its type.
int status_inside(const Json& json, const ApiError& error) {
  const Json& inner = *error_in(json);
  const std::string code = text_at(inner, "code");
  int number = 0;
  const auto [end, trouble] = std::from_chars(code.data(), code.data() + code.size(), number);
  if (trouble == std::errc() && end == code.data() + code.size() && number >= 400 && number < 600)
    return number;
  const std::string words = lower_ascii(code + " " + error.code + " " + text_at(inner, "type"));
  if (words.find("overloaded") != std::string::npos) return 529;
  if (has_any_of(words, {"rate_limit", "insufficient_quota", "billing_hard_limit"})) return 429;
  if (has_any_of(words, {"authentication", "permission", "invalid_api_key"})) return 401;
  if (has_any_of(words, {"context_length", "exceed_context", "content_filter", "invalid_request"}))
    return 400;
  return 500;
}

}  // namespace

std::string_view api_error_name(ApiErrorKind kind) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "context_exceeded", "unsupported_field", "auth",    "not_found", "quota",
      "rate_limit",       "request_too_large", "request", "server",    "refused",
      "bad_response",     "truncated",         "config"};
  return kNames.at(static_cast<std::size_t>(kind));
}

ApiError error_of(const HttpHead& head, const std::string& body, std::chrono::system_clock::time_point now) {
  ApiError error = described(parse_body(body), body);
  error.status = head.status;
  classify(error);
  if (const auto should = head.header("x-should-retry")) {
    if (*should == "true" || *should == "false") error.may_retry = *should == "true";
  }
  error.wait = retry_after(head, now);
  if (!error.wait && !head.header("retry-after") && !head.header("retry-after-ms"))
    error.wait = wait_in_words(error.message);
  return error;
}

ApiError error_inside(const Json& json) {
  ApiError error = described(json, "");
  error.status = status_inside(json, error);
  classify(error);
  error.wait = wait_in_words(error.message);
  return error;
}

ApiError no_answer(ApiErrorKind kind, std::string message) {
  return {kind, 200, "", "", std::move(message), true, std::nullopt};
}

std::variant<Json, ApiError> read_object(const HttpHead& head, const std::string& body,
                                         std::chrono::system_clock::time_point now) {
  BodyMarks marks;
  return read_object(head, body, now, marks);
}

std::variant<Json, ApiError> read_object(const HttpHead& head, const std::string& body,
                                         std::chrono::system_clock::time_point now, BodyMarks& marks) {
  if (head.status != 200) return error_of(head, body, now);
  std::optional<Json> json = parse_body(body, marks);
  if (!json || !json->is_object())
    return no_answer(ApiErrorKind::kBadResponse, "no JSON object: " + kept(strip(body)));
  if (error_in(*json) != nullptr) return error_inside(*json);
  return *std::move(json);
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
