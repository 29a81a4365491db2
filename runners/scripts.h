// The scripts of `scripted:NAME` (the check runners of AIMicius).
#pragma once

#include <memory>
#include <string>

#include "core/runner.h"
#include "runners/registry.h"

namespace micius {

// `argument` is NAME or NAME:DETAIL:
//   verbose        the reference in a fence, with words around it
//   parrot         the last message itself
//   constant:TEXT  TEXT, to everything
//   errors:N       the reference with up to N errors (with_errors()), each made or not with equal chance, so
//                  that a metric of whole answers shows a ladder; what errors:2 makes has errors:1's
//   spoiled:PERCENT  the reference, but for that share of the samples, drawn by their ids: there what another
//                  sample's is. A model made worse on purpose
//   nearest:FILE   what matching words gets: the answer of the conversation in FILE whose last question has
//                  most words in common with the last message (BM25). FILE has lines of
//                  `micius data export --format chat`
// Throws Error{kUsage} for another name or a detail that is missing or wrong, and Error{kNotFound,
// kInvalidData} for a FILE that is not there or not such lines, with its line.
std::unique_ptr<Runner> make_scripted(const std::string& argument, const RunnerContext& context);

}  // namespace micius
