// What came back for one prompt.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace micius {

// Names one request within a runner's life. Chosen by the caller.
enum class RequestId : std::uint64_t {};

enum class StopReason { kStop, kLength, kContentFilter, kToolCalls, kUnfinished, kFailed };

struct Likelihood {
  double logprob;  // natural log, summed over the continuation's tokens
  int tokens;      // of the continuation
  bool greedy;     // every token of it was the most likely one
  bool operator==(const Likelihood&) const = default;
};

// Why a request failed for good. `code` is one of a short list: "empty_continuation", "context_too_long", ...
struct Failure {
  std::string code;
  std::string message;
  int attempts = 1;
  // Every other request would fail as well (a wrong key, no money): the run is to end at once, without a
  // record of this sample. Never stored.
  bool stops_run = false;
  bool operator==(const Failure&) const = default;
};

// Time points; durations are derived when reporting. first_token is absent where the runner cannot see it.
struct Timing {
  Clock::time_point planned, sent;
  std::optional<Clock::time_point> first_token;
  Clock::time_point done;
};

// Tokens that went through a local model for a completion, and those that it takes where no prompt and no
// choice shares its beginning with another.
struct ForwardedTokens {
  std::uint64_t forwarded = 0, naive = 0;
  bool operator==(const ForwardedTokens&) const = default;
};

// One time that a server was asked. The times count from Timing::planned.
struct Attempt {
  std::size_t part = 0;  // which request of several that a prompt took: of a choice, its index
  std::chrono::nanoseconds began{}, ended{};
  int status = 0;    // of HTTP; 0: no answer came
  std::string code;  // "" where it was answered, else what was wrong: "rate_limit", "timeout"
  std::string message;
  std::optional<std::chrono::nanoseconds> wait_asked, waited;  // by the server; until the next attempt
  std::string request_id;                                      // the server's, or ""
  std::uint64_t bytes = 0;                                     // of the answer's body
  // Of a body that was no valid UTF-8, or had half characters: the SHA-256 of its bytes as they came.
  std::string invalid_utf8_sha256;
  bool operator==(const Attempt&) const = default;
};

constexpr char kPromptTextSeparator = '\x1e';

struct Completion {
  RequestId id{};
  std::string text;                     // empty for a LikelihoodInput
  std::vector<Likelihood> likelihoods;  // one a pair, in order; may be empty where a runner gives no answer
  StopReason stop_reason = StopReason::kStop;
  // Cached ones, and those written to a cache, are part of the prompt's.
  int prompt_tokens = 0, cached_tokens = 0, cache_write_tokens = 0, completion_tokens = 0;
  std::optional<ForwardedTokens> work;  // absent where no model of ours did it
  // Of the prompt's beginning, left out because the model's context is too short; of the worst pair.
  int cut_tokens = 0;
  // What a local model read of a conversation; empty where there was none. Of a LikelihoodInput, what stands
  // before every pair, whole; where pairs have questions of their own, one text a pair with
  // kPromptTextSeparator between them.
  std::string prompt_text;
  Timing timing;
  // The answer that the same question got for another sample or run, given again: nothing was sent or paid
  // for it, its times say nothing, and its tokens are those of that time.
  bool from_cache = false;
  std::vector<Attempt> attempts;   // empty where no server was asked
  std::optional<Failure> failure;  // set if and only if stop_reason == kFailed
};

}  // namespace micius
