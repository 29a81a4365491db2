// The letter of a choice, as a model writes it.
#pragma once

#include <memory>

#include "core/scorer.h"
#include "core/spec.h"
#include "scorers/registry.h"

namespace micius {

// For models that give no log-likelihoods: the letter that read_letter() finds, else the one choice that the
// answer is, word for word but for case and a full stop ("Yes." where a choice is "yes"). The one metric is
// acc_letter, which compares with no acc: a letter that is asked for measures something else than the
// likelihood of a text. Sample::extra "gold" is the index of the right choice. No params.
std::unique_ptr<Scorer> make_letter_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
