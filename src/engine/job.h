// What an engine is asked and what it answers, in tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/sampler.h"
#include "engine/tokenizer/bpe.h"

namespace micius {

enum class JobId : std::uint64_t {};

struct TokenChance {
  TokenId id = 0;
  double logprob = 0;  // natural, of the model's own distribution: at temperature 1, nothing cut
};

// A token at its place in a text, and the likeliest ones there; of equal ones the lower id is first.
struct TokenLogprobs {
  TokenChance token;
  std::vector<TokenChance> best;
};

// A continuation weighed after a context.
struct TokenPair {
  std::vector<TokenId> context, continuation;
};

// log P(continuation | context) of each pair. Pairs with the same context share its forward pass.
struct WeighJob {
  std::vector<TokenPair> pairs;
};

// A prompt that is too long for the model loses its beginning, as a pair's context does.
struct GenerateJob {
  std::vector<TokenId> prompt;
  int max_tokens = 256;  // 0: the prompt is read and no more
  SamplingOptions sampling;
  std::vector<std::string> stop;      // the text is cut before the first of them; empty ones are ignored
  std::string stream;                 // names the random stream; the same name draws the same numbers
  std::optional<std::size_t> best{};  // with each new token its logprob and so many of the likeliest
  bool weighs_prompt = false;         // the prompt's tokens too, but the first; nothing of it is shared then
};

// All logits behind the last of `ids`.
struct LogitsJob {
  std::vector<TokenId> ids;
};

using Job = std::variant<WeighJob, GenerateJob, LogitsJob>;

struct TokenWeight {
  double logprob = 0;  // natural, summed over the tokens
  int tokens = 0;
  bool greedy = true;  // every token was the most likely one
};

// `code` is one of "empty_prompt", "empty_context", "empty_continuation", "context_too_long", "bad_token",
// "kv_memory", "not_finite" (the model gives infinite logits or none).
struct JobFailure {
  std::string code, message;
};

// Tokens that went through the model for a job, and those that it takes without sharing anything. What two
// jobs share is forwarded for the one that came first.
struct TokenCounts {
  std::uint64_t forwarded = 0, naive = 0;
};

struct JobResult {
  JobId id{};
  std::optional<JobFailure> failure;  // then the rest is empty
  std::vector<TokenWeight> weights;   // of a WeighJob, by pair
  std::vector<TokenId> ids;           // generated, with those of a stop
  std::string text;                   // generated: no control tokens, no stop, no half character at the end
  std::vector<TokenLogprobs> prompt_logprobs;  // of the second token on, where they were asked for
  bool stopped = false;           // by a stop string or a token that ends the turn, not by max_tokens
  std::vector<float> logits;      // [vocabulary], of a LogitsJob
  double logsumexp = 0;           // of them, natural
  std::size_t prompt_tokens = 0;  // read: of a WeighJob each distinct context once
  TokenCounts work;
};

}  // namespace micius
