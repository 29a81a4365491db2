// One run, from its set-up to its last record: what `run` and `resume` share.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "cli/progress.h"
#include "cli/task_setup.h"
#include "core/store.h"
#include "pipeline/plan.h"

namespace micius {

struct ExecuteContext {
  Store& store;
  const Clock& clock;
  Log& log;
  ProgressBoard& board;
  std::stop_token stop = {};
  std::string places = {};  // what a command needs to find the same files: place_words()
  std::function<void(const Record&)> on_record = {};  // Evaluation::on_record
};

Plan plan_run(const TaskSetup& setup, const RunnerInfo& model, const PlanOptions& options);

// Asks what is still open of `run` and says on stderr, also where warnings are not wanted, why it stopped or
// why most of the samples that failed did.
EvaluateResult execute(const ExecuteContext& context, RunId run, const TaskSetup& setup, const Plan& plan,
                       Runner& runner);

}  // namespace micius
