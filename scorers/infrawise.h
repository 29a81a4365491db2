// Judges Infrawise: did the model understand the question (turn 1, a DCW) and find the records (turn 2)?
#pragma once

#include <memory>

#include "scorers/registry.h"

namespace micius {

// Params: "mode", one of "end-to-end" (default; both turns), "dcw" (turn 1 alone), "oracle" (one turn, the
// selection), "retrieved" (both turns; the candidates are what a search of the pool finds for the model's
// DCW). The sample's extra holds "dcw" and "matches", or, where records are retrieved, "relevant": the ids of
// all pool records that the true DCW matches. Aliases come from the suite's vocabulary.json below the share
// root; throws Error{kNotFound} without it.
//
// A part is right if it equals the truth or one of its aliases after NFKC, lower case and joined blanks;
// designs lose the words gpu, nvidia, amd, instinct, azure and standard_, numbers of a criterion are words,
// and a workload's - and _ are blanks. So "NVIDIA A100 GPU" is A100, "10 mins" is ten minutes, "nccl
// all-to-all" is NCCL alltoall; "NCCL allreduce bandwidth" is not NCCL allreduce.
// The *_words metrics are the rule of the public evaluation code: all words of the truth are among the
// answer's words (an empty baseline is always found). "NCCL allreduce bandwidth" passes there.
//
// observe() leaves {"dcw": {...}} after a readable first turn, with each value cut to 200 characters, and
// nothing else: what the task's second turn is made from. Where records are retrieved it also leaves the ten
// found "candidates" as the model sees them and their pool ids, "found"; recall_at_10 is the share of the
// relevant records among them.
std::unique_ptr<Scorer> make_infrawise_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
