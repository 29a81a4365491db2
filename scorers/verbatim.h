// Does a text go on word for word?
#pragma once

#include <memory>

#include "scorers/registry.h"

namespace micius {

// Values:
//   verbatim  1 if the answer begins with the target, word for word with its case; blanks do not count
//   words     the share of the target's words that the answer begins with
// An answer that first repeats the sample's input is read from there on. No params.
std::unique_ptr<Scorer> make_verbatim_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
