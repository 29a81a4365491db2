// Judges Optiflow: does the program run, is its plan valid, and is the second plan faster than the first?
#pragma once

#include <memory>

#include "scorers/registry.h"

namespace micius {

// No params. The sample's extra holds the machine and the case's figures (gpu_count, chunks_per_gpu,
// bytes_per_gpu, initial_ps, best_ps, bound_ps). Needs the sandbox; where there is none, or no python3 in it,
// answers with code are kUnscored, and so is a record whose second question was never asked.
//
// observe() leaves what both score() and the task's second prompt are made from:
//   {"code": true, "executable": true, "error": "", "python": "3.11.7",
//    "plan": {"valid": true, "kind": "rounds", "steps": 112, "redundant": 0, "latency_ps": 5858356}}
// or "plan": {"valid": false, "code": "not_held", "error": ".."}, and {"unscored": ".."} where it could not
// be judged. A plan that an answer without code writes out is read from its text; what a program printed
// before it failed counts as its plan.
//
// Plan Improved compares the two latencies in picoseconds: an equal plan is not improved. So a first plan
// that leaves nothing to gain can only lose there; improved_or_tight takes it (within 2 % of the best known,
// second not worse), and bound_fraction and solved read the last plan alone, so that a bad first plan gains
// nothing.
std::unique_ptr<Scorer> make_optiflow_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
