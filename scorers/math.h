// Answers of MATH: equal as text, equal as values.
#pragma once

#include <memory>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// params:
//   rules  which of lm-eval's tasks is followed ["minerva"] (math_text.h has the steps):
//          "minerva"    the answer between "The final answer is" and "I hope it is correct."
//          "hendrycks"  the answer between the first and the last "$"
//   stop   [] stop strings, as of exact_match
// The right answer is what the sample's first target has in its last \boxed{}, or the whole target where it
// has none. Values:
//   string_match    both are the same text in the rules' normal form
//   symbolic_match  both have the same value (latex_value.h), before or after that form
//   exact_match     the primary one: "minerva": either of the two; "hendrycks": string_match, as upstream
// minerva's exact_match is sympy's verdict upstream; where the two differ is in docs/general-scoring.md.
// No answer: nothing where the rules look for it, or only blanks.
std::unique_ptr<Scorer> make_math_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
