#include "scorers/registry.h"

namespace micius {

Registry<ScorerFactory> scorer_registry() { return {"scorer", {}}; }

}  // namespace micius
