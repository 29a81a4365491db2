#include "scorers/registry.h"

#include "scorers/choice.h"
#include "scorers/exact.h"
#include "scorers/infrawise.h"

namespace micius {

Registry<ScorerFactory> scorer_registry() {
  return {"scorer",
          {
              {"choice", "The most likely choice", make_choice_scorer},
              {"exact", "Equal text", make_exact_scorer},
              {"infrawise", "The DCW part by part, and the set of records", make_infrawise_scorer},
          }};
}

}  // namespace micius
