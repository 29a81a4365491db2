#include "cli/execute.h"

#include <fmt/format.h>

namespace micius {

Plan plan_run(const TaskSetup& setup, const RunnerInfo& model, const PlanOptions& options) {
  ShotPicker* shots = setup.shots.get();
  return make_plan(
      {setup.task, *setup.dataset, model, [shots](std::size_t index) { return shots->shots_for(index); },
       setup.source, setup.shot_pool_label},
      options);
}

EvaluateResult execute(const ExecuteContext& context, RunId run, const TaskSetup& setup, const Plan& plan,
                       Runner& runner) {
  EvaluateResult result;
  {
    ProgressDisplay display(context.progress, setup.task.name, runner.info().name, setup.task.metrics.front(),
                            context.clock);
    result = evaluate(
        {setup.task, plan, runner, *setup.scorer, context.store, context.clock, &display, context.stop}, run);
  }
  const auto id = static_cast<std::int64_t>(run);
  if (!result.message.empty()) {
    context.log.warning(
        fmt::format("run {} ({}): {}; `micius resume {}` goes on", id, setup.task.name, result.message, id));
  } else if (result.failed > 0) {
    context.log.warning(
        fmt::format("run {} ({}): {} samples failed; `micius show {} --samples` says why, `micius resume {}` "
                    "asks them again",
                    id, setup.task.name, result.failed, id, id));
  }
  return result;
}

}  // namespace micius
