// Answers read out of generated text by named filters, each compared with the reference.
#pragma once

#include <memory>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// lm-eval's exact_match over every filter of the task at once. params, in lm-eval's words:
//   filter_list        [one filter, without steps] filters.h; the first is the primary one
//   stop               [] the text is cut before each of these, one after the other, wherever they stand: a
//                      text that begins with one is empty
//   regexes_to_ignore  [] taken out of answer and targets, one pattern after the other
//   ignore_case, ignore_punctuation (ASCII), ignore_numbers (ASCII digits)  [false], then, in this order
// An answer is right if it equals any target. "18.00" is not "18", and "The answer is 39" without a full stop
// is 3 by lm-eval's own strict pattern: the patterns are kept as they are, so that results compare.
// Thinking is cut first, up to the last `</think>`, with the blanks behind it.
//
// Values: `exact_match`, or with several filters `exact_match,<name>` each and `filters_differ`: 1 where they
// did not read the same answer. Verdict and answer are the primary filter's; no answer: the text is empty, is
// thinking only, or the primary filter found nothing in it.
std::unique_ptr<Scorer> make_exact_match_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
