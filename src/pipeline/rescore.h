// Judges stored completions again.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "core/run.h"
#include "core/scorer.h"
#include "core/store.h"
#include "core/task.h"

namespace micius {

struct Rescoring {
  const Task& task;
  const Scorer& scorer;
  Store& store;
  const Clock& clock;
  std::int64_t batch = 0;  // of the new run
};

// Makes a new run with the samples, turns and observations of `run` and new scores, and returns its id; `run`
// stays as it is. The new spec is the old one but for what the task says of scoring now: version, scorer,
// metrics, breakdowns and cluster. Failed records stay failed. Throws Error{kUsage} for a run that is not
// complete.
RunId rescore(const Rescoring& rescoring, RunId run);

}  // namespace micius
