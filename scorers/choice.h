// The most likely choice.
#pragma once

#include <memory>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// The choice with the highest log-likelihood is the answer, as in lm-eval: the first one wins a tie, and
// choices are told apart by place, not by text. Metrics:
//   acc       highest sum of log P
//   acc_norm  highest sum of log P divided by the choice's length in code points, without the delimiter;
//             the documents of lm-eval say bytes, its code counts code points: "é" has length 1
//   acc_bytes    the same by bytes of UTF-8
//   acc_token    the same by tokens of the continuation, as llama.cpp's hellaswag
//   exact_match  the right choice is what greedy decoding gives: every token of it is the most likely one
// params: "metrics", the ones to give, the primary one first ["acc_norm", "acc"]: it decides verdict and
// answer. Sample::extra "gold" is the index of the right choice or a list of them: any of these is right.
// No likelihoods at all: no answer. Another number of them than choices, or one that is not a number:
// unscored.
std::unique_ptr<Scorer> make_choice_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
