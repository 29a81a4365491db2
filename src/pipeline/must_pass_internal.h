// The samples that a policy wants correct.
#pragma once

#include "core/gate.h"
#include "core/store.h"
#include "pipeline/policy.h"

namespace micius {

// `run` is the current one of the task; null where there is none. Fails where a sample is not correct in
// every repeat and where the run does not have it, and the reason names them apart; where the run has not
// asked one yet, the check is inconclusive.
GateCheck must_pass_check(const Store& store, const MustPass& wanted, const Run* run);

}  // namespace micius
