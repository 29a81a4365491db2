// What went wrong, whichever API said it and however it was said. Pure; nothing that a server sends makes
// these throw.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "net/api_json.h"
#include "net/http.h"
#include "net/waits.h"

namespace micius {

enum class ApiErrorKind {
  kContextExceeded,
  kUnsupportedField,
  kAuth,
  kNotFound,
  kQuota,
  kRateLimit,
  kRequestTooLarge,  // larger than a whole minute's limit
  kRequest,
  kServer,
  kRefused,      // the prompt, by a content filter
  kBadResponse,  // 200 with something else than an answer
  kTruncated,    // an answer without its end
  kConfig,       // a redirect: the address is wrong
};
std::string_view api_error_name(ApiErrorKind kind);  // "context_exceeded"

struct ApiError {
  ApiErrorKind kind;
  int status = 0;               // of HTTP, or what an error inside a 200 amounts to
  std::string code, field;      // as the server named them, or ""
  std::string message;          // the server's words, at most 2 KB, valid UTF-8
  bool may_retry = false;       // by kind, or as x-should-retry says
  std::optional<Seconds> wait;  // that the server asks for, in a header or in words
};

// Of an answer whose status is not 200. `now`: by the clock that HTTP dates are of.
ApiError error_of(const HttpHead& head, const std::string& body, std::chrono::system_clock::time_point now);

// Of {"error": ..} where a 200 was already sent: by its type or code as if that were the status.
ApiError error_inside(const Json& json);

// A 200 that holds no answer; worth another attempt.
ApiError no_answer(ApiErrorKind kind, std::string message);

// The JSON object of a 200, or the error that stands in its place. Adds to `marks`.
std::variant<Json, ApiError> read_object(const HttpHead& head, const std::string& body,
                                         std::chrono::system_clock::time_point now, BodyMarks& marks);
std::variant<Json, ApiError> read_object(const HttpHead& head, const std::string& body,
                                         std::chrono::system_clock::time_point now);

// `text` with every run of six or more characters of the secret as "***": servers repeat parts of a key. What
// has fewer than eight characters ("EMPTY") is no secret.
std::string without_secret(std::string_view text, std::string_view secret);

}  // namespace micius
