// A regression gate: is a run still as good as the baseline was?
#pragma once

#include <vector>

#include "core/gate.h"
#include "core/store.h"
#include "pipeline/policy.h"

namespace micius {

// Every task of the baseline is held against the current run of that task, paired sample by sample as
// compare() does. Quality: fails where the metric fell by more than
// max_drop and the fall is significant (McNemar's exact test or sign flips, corrected over the tasks); passes
// where the 95 % interval leaves no room for such a fall; else it is inconclusive, and the reason says how
// many samples would do. A task that the current runs lack fails. Another task version, other shots, another
// data hash, other content of a sample, or an unfinished run: inconclusive. A run that `--stop-when-decided`
// ended is judged by p-values and intervals that allow for it (early_evidence.h). Must-pass samples, speed,
// cost and health as the policy says. In the tier `warn` a check that does not pass is a warning. Throws
// Error{kUsage} for no run, for two runs of one task, and for a metric that a task does not have.
GateResult gate(const Store& store, const std::vector<RunId>& baseline, const std::vector<RunId>& current,
                const Policy& policy);

}  // namespace micius
