// The JSON shapes of POST /chat/completions, as OpenAI, Azure, vLLM, llama.cpp and others send them. Pure:
// text in, values out; nothing that a server sends makes them throw.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "core/completion.h"
#include "core/runner.h"
#include "net/http.h"
#include "net/waits.h"

namespace micius {

// Which fields a server takes. Learned: a 400 that names one takes it out for the rest of the run.
struct ChatFields {
  std::string max_tokens = "max_tokens";  // or "max_completion_tokens", or "": left out
  bool temperature = true, top_p = true, stop = true, seed = true;
  bool operator==(const ChatFields&) const = default;
};

// What is known before the first request: OpenAI's own host wants max_completion_tokens, its reasoning models
// (o1, o3, o4, gpt-5 ..) take no sampling fields at all.
ChatFields chat_fields_for(const std::string& model, const std::string& base_url);

// Takes out or renames the field. False if it is none of ours, or already gone.
bool drop_field(ChatFields& fields, std::string_view name);

// The body. A kText request is one user message, its contents joined by blank lines. Fields that say nothing
// (top_p 1, no stop) are not sent; of more than four stop texts the first four are, the rest is applied here.
Json chat_body(const Request& request, const std::string& model, const ChatFields& fields);

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
  std::string code, field;      // as the server named them, or ""
  std::string message;          // the server's words, at most 2 KB, valid UTF-8
  bool may_retry = false;       // by kind, or as x-should-retry says
  std::optional<Seconds> wait;  // that the server asks for, in a header or in words
};

struct ChatAnswer {
  std::optional<std::string> text;  // absent where the content is null, which is not ""
  StopReason stop_reason = StopReason::kStop;
  int prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;  // 0 where the server does not say
  std::string model;
};

std::variant<ChatAnswer, ApiError> read_chat(const HttpHead& head, const std::string& body,
                                             std::chrono::system_clock::time_point now);

// Cuts the text before the first stop text to appear. True if there was one.
bool cut_at_stop(std::string& text, const std::vector<std::string>& stop);

// `text` with every run of six or more characters of the secret as "***": servers repeat parts of a key. What
// has fewer than eight characters ("EMPTY") is no secret.
std::string without_secret(std::string_view text, std::string_view secret);

}  // namespace micius
