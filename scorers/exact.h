// Equal text.
#pragma once

#include <memory>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// Right if the text of the first turn equals any of the targets once both are brought to the same form. The
// metric is `acc`. params, applied in this order to both sides:
//   ignore_case         [false] lower case by Unicode
//   ignore_punctuation  [false] ASCII punctuation is taken out: "U.S." is "US", and "3.5" is "35"
//   strip               [true]  white space at both ends is taken off, last: "yes ." is "yes" with the above
// "The answer is yes" is not "yes": this scorer does not search. A text that is empty after this, where no
// target is, is no answer.
std::unique_ptr<Scorer> make_exact_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
