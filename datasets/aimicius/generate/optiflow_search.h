// The best plan that we know of for a case.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "optiflow_recipe.h"
#include "plan/cost.h"

namespace micius::aimicius::optiflow {

struct Solution {
  Recipe recipe;
  std::int64_t latency_ps = 0;
};

// Every baseline that the machine can do, in both forms, the naive one first. Empty if not even that.
std::vector<Solution> baselines(const plan::CostModel& model);

// The fastest of these and of a local search over the greedy scheduler's options: first some of a grid of
// link budgets, receivers and waiting, then random changes of the best so far, each kept if it is not slower:
// two owners swapped, another first receiver, rounds merged or split by another budget, waiting or not, the
// other form. `effort` is chunks of all GPUs times plans tried, so that large cases take no longer than small
// ones.
Solution search(const plan::CostModel& model, const std::vector<Solution>& start, std::size_t moves,
                Rng& rng);

// `solution` with the moves that make it faster, found in 2,000 tries; itself where none does.
Solution moved(const plan::CostModel& model, const Solution& solution, Rng& rng);

}  // namespace micius::aimicius::optiflow
