#include "scorers/registry.h"

#include "scorers/choice.h"
#include "scorers/cmdgen.h"
#include "scorers/continuation.h"
#include "scorers/exact.h"
#include "scorers/exact_match.h"
#include "scorers/infrawise.h"
#include "scorers/letter.h"
#include "scorers/math.h"
#include "scorers/nl2kql.h"
#include "scorers/optiflow.h"
#include "scorers/program.h"
#include "scorers/verbatim.h"

namespace micius {

Registry<ScorerFactory> scorer_registry() {
  return {
      "scorer",
      {
          {"choice", "The most likely choice", make_choice_scorer},
          {"cmdgen", "What a shell command does on an emulated GPU machine", make_cmdgen_scorer},
          {"continuation", "How likely is the right continuation?", make_continuation_scorer},
          {"exact", "Equal text", make_exact_scorer},
          {"exact_match", "Answers read by named filters, equal to the reference", make_exact_match_scorer},
          {"infrawise", "The DCW part by part, and the set of records", make_infrawise_scorer},
          {"letter", "The letter of a choice, as a model writes it", make_letter_scorer},
          {"math", "Answers of MATH: equal as text, equal as values", make_math_scorer},
          {"nl2kql", "A KQL query: does it parse, and what does it name?", make_nl2kql_scorer},
          {"optiflow", "Programs that plan an all-gather: run, checked and timed", make_optiflow_scorer},
          {"program", "Does the program pass its tests?", make_program_scorer},
          {"verbatim", "Does the text go on word for word?", make_verbatim_scorer},
      }};
}

}  // namespace micius
