// How likely is the right continuation?
#pragma once

#include <memory>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// One (context, continuation) pair a sample, weighed (LAMBADA: the last word). Values:
//   acc      1 if greedy decoding gives it: every token is the most likely one
//   logprob  log P of the continuation, in nats; a task makes `perplexity` of it, exp(-mean over samples),
//   one
//            word a sample whatever its tokens, as lm-eval (Reduction::kExpNegMean)
// No params. The answer is the continuation where acc is 1, else "". No likelihood: no answer, acc 0, no
// logprob. Several, or one that is not a number: unscored.
std::unique_ptr<Scorer> make_continuation_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
