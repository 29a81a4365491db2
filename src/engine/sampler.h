// Logits, options and random numbers in; a token out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "engine/tokenizer/bpe.h"

namespace micius {

struct SamplingOptions {
  double temperature = 0;  // 0: the most likely token, and the rest does nothing
  int top_k = 0;           // 0: off
  double top_p = 1;        // 1: off
  double min_p = 0;        // 0: off
};

struct Candidate {
  TokenId id;
  double probability;
};

// What may be drawn; temperature > 0. In this order, as in Hugging Face's
// transformers: logits / temperature; top-k (all that are >= the k-th largest); top-p (leaves out the
// unlikely tail whose mass is <= 1 - p; one stays); min-p (leaves out p < min_p * the largest); the rest sums
// to 1. Empty where the largest logit is not a finite number.
std::vector<Candidate> sampling_candidates(std::span<const float> logits, const SamplingOptions& options);

// The lowest id with the largest logit; 0 where none is a number.
TokenId greedy_token(std::span<const float> logits);

// One draw with one number of `rng`; greedy_token at temperature 0.
TokenId sample_token(std::span<const float> logits, const SamplingOptions& options, Rng& rng);

}  // namespace micius
