// Judges stored completions again.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "core/run.h"
#include "core/scorer.h"
#include "core/store.h"
#include "core/task.h"

namespace micius {

enum class Observations { kStored, kAgain };

struct Rescoring {
  const Task& task;
  const Scorer& scorer;
  Store& store;
  const Clock& clock;
  std::int64_t batch = 0;  // of the new run
  // kAgain: what the scorer observes of each completion is made again as well; prompts stay as they were
  // sent.
  Observations observations = Observations::kStored;
};

// What an unfinished run of rescore() was made from.
struct RescoredFrom {
  RunId run{};
  Observations observations = Observations::kStored;
};
std::optional<RescoredFrom> rescored_from(const RunSpec& spec);

// Makes a new run with the samples, turns and observations of `run` and new scores, and returns its id; `run`
// stays as it is. The new spec is the old one but for what the task says of scoring now: version, scorer,
// metrics, breakdowns and cluster. Failed records stay failed. Throws Error{kUsage} for a run that is not
// complete.
RunId rescore(const Rescoring& rescoring, RunId run);

// Scores what `made`, a run of rescore() that did not get to its end, still lacks. rescored_from() its spec
// says with which observations.
void resume_rescore(const Rescoring& rescoring, RunId made);

}  // namespace micius
