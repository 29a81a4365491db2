// One run, from its set-up to its last record: what `run` and `resume` share.
#pragma once

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
  ProgressMode progress = ProgressMode::kNone;
  std::stop_token stop;
};

Plan plan_run(const TaskSetup& setup, const RunnerInfo& model, const PlanOptions& options);

// Asks what is still open of `run` and says on the log why it stopped, if it did.
EvaluateResult execute(const ExecuteContext& context, RunId run, const TaskSetup& setup, const Plan& plan,
                       Runner& runner);

}  // namespace micius
