// Is a plan possible and complete? Apart from its time.
#pragma once

#include "plan/cost.h"

namespace micius::plan {

struct Checked {
  Outcome outcome;  // without the time
  Plan executed;    // without redundant steps; a plan of rounds may lose whole rounds
};

Checked check(const Machine& machine, int chunks_per_gpu, const Plan& plan);

}  // namespace micius::plan
