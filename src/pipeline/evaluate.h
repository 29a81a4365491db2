// The main path: what is asked, answered, judged and kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/run.h"
#include "core/runner.h"
#include "core/scorer.h"
#include "core/store.h"
#include "core/task.h"
#include "pipeline/plan.h"
#include "stats/running.h"

namespace micius {

// How far a run is. Counts are of records: samples times repeats.
struct Progress {
  std::size_t total = 0, done = 0, failed = 0;  // good and failed records, earlier executions included
  std::size_t new_records = 0;                  // of this execution, good or failed
  std::uint64_t prompt_tokens = 0, completion_tokens = 0;
  RunningMean primary;  // values of the task's first metric
};

// Called from the thread that called evaluate(): once at the start, then after every stored record.
class EvaluateObserver {
 public:
  virtual ~EvaluateObserver() = default;
  virtual void on_progress(const Progress& progress) = 0;
};

// Samples that came to a run while it goes on, as indices of the dataset, and what is done of them.
struct MoreSamples {
  std::vector<std::size_t> chosen;
  DoneSet done;
};

// What evaluate() works with. All of it must outlive the call.
struct Evaluation {
  const Task& task;
  const Plan& plan;
  Runner& runner;
  const Scorer& scorer;
  Store& store;
  const Clock& clock;
  EvaluateObserver* observer = nullptr;  // may be null
  std::stop_token stop = {};             // ends the run early
  std::size_t judges = 1;                // threads that observe and score
  // Called for the good records of earlier executions, then for every one that was stored; from the thread
  // that called evaluate(). May be empty.
  std::function<void(const Record&)> on_record = {};
  // Called from that thread too, once all samples so far were begun and the runner has room for others, until
  // it gives none. May be empty.
  std::function<MoreSamples()> more = {};
};

struct EvaluateResult {
  RunStatus status = RunStatus::kUnfinished;
  bool interrupted = false;  // by Evaluation::stop
  std::size_t failed = 0;    // records of this execution that failed for good
  std::string message;       // why status is kStopped, or ""
};

// Asks what `run` has no good record of yet, in dataset order, with as many requests on their way as the
// runner makes good use of, and stores each record as soon as it is judged. Records do not depend on the
// order in which answers come. A text that is not UTF-8 gets U+FFFD for each ill-formed part before anything
// reads it. A failed sample is stored as such and the run goes on; where request after request fails the run
// is stopped. Samples that were on their way at an early end are asked again by the next call.
// The run ends complete once every sample has a record, failed ones included.
EvaluateResult evaluate(const Evaluation& evaluation, RunId run);

}  // namespace micius
