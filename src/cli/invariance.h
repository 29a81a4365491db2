// `run --verify-invariance`.
#pragma once

#include <span>
#include <stop_token>

#include "cli/models.h"
#include "core/store.h"

namespace micius {

// Throws Error{kUsage} for a model that is not the engine's, whose set-ups alone can be changed, and for a
// GPU, whose results move by rounding with what is computed beside them.
void check_invariance(const std::string& model, const EngineFlags& flags);

enum class Invariance { kHolds, kBroken, kInterrupted };

// Asks the prompts of `runs`, which are of `model`, again in each of three set-ups: with nothing shared
// between prompts, other numbers of threads, other batches, in other orders. Says on stderr what came out.
Invariance verify_invariance(const Store& store, std::span<const RunId> runs, const std::string& model,
                             const EngineFlags& flags, const PlaceFlags& places, const Clock& clock,
                             std::stop_token stop);

}  // namespace micius
