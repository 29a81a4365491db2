// Every scorer, by name.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/registry.h"
#include "core/scorer.h"
#include "core/services.h"
#include "core/spec.h"

namespace micius {

// What a scorer may be given besides its parameters.
struct ScorerContext {
  DataRoots roots;
  std::string where;  // the place that names the scorer ("tasks/x.json:12"), for messages; may be empty
  Services* services = nullptr;  // lives longer than the scorer; null where only the scorer's names are asked
};

// Throws Error{kUsage} for a parameter it does not know, naming `spec.name` and the nearest valid one.
using ScorerFactory = std::function<std::unique_ptr<Scorer>(const Spec& spec, const ScorerContext& context)>;

Registry<ScorerFactory> scorer_registry();

}  // namespace micius
