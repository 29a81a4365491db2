// What the factories of scorers share.
#pragma once

#include <string>

#include "scorers/registry.h"

namespace micius {

// What a message about a scorer's parameters begins with: "tasks/x.json:12: scorer 'exact'".
inline std::string scorer_place(const Spec& spec, const ScorerContext& context) {
  return (context.where.empty() ? "" : context.where + ": ") + "scorer '" + spec.name + "'";
}

}  // namespace micius
