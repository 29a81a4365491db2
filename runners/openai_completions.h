// The JSON shapes of POST /completions with `echo`: log-probabilities of the prompt's own tokens, as vLLM and
// servers like it give them, and of POST /tokenize.
//
//   The sky is| blue        context, continuation: one prompt
//   [The][ sky][ is][ blue][.]   its tokens and the one that must be written; each with its log-probability
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/completion.h"
#include "runners/api_shape.h"

namespace micius {

using ApiTokenIds = std::vector<std::int64_t>;
// Ids, where the server tells them, or text.
using EchoPrompt = std::variant<std::string, ApiTokenIds>;

Json echo_body(const EchoPrompt& prompt, const std::string& model);

struct EchoToken {
  std::optional<double> logprob;   // absent for the first alone
  bool is_best = false;            // no other token was more likely
  std::size_t begin = 0, end = 0;  // in characters of a text prompt
};

// The tokens of the prompt. What the server wrote behind it is left out.
struct EchoReply {
  std::vector<EchoToken> tokens;
  ApiReply reply;  // without text
};

// An answer that is no echo of the prompt is kBadResponse, and its message says what gave it away: servers
// answer 200, ignore `echo`, and tell the log-probabilities of what they wrote instead.
std::variant<EchoReply, ApiError> read_echo(const HttpHead& head, const std::string& body,
                                            const EchoPrompt& prompt,
                                            std::chrono::system_clock::time_point now);

// The token with which a continuation begins behind `characters` of context: the first that begins there or
// later. `straddles`: the one before ends there or later; it counts as the context's.
struct Seam {
  std::size_t token = 0;
  bool straddles = false;
};
Seam seam_at(const EchoReply& echo, std::size_t characters);

// The sum over the tokens from `first` on. Fails with "empty_context" where that is the very first, which has
// no log-probability, and "empty_continuation" where there is none.
std::variant<Likelihood, Failure> weigh_from(const EchoReply& echo, std::size_t first);

Json tokenize_body(const std::string& text, const std::string& model);
std::variant<ApiTokenIds, ApiError> read_tokenized(const HttpHead& head, const std::string& body,
                                                   std::chrono::system_clock::time_point now);

}  // namespace micius
