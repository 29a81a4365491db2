#include "cli/execute.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {

Plan plan_run(const TaskSetup& setup, const RunnerInfo& model, const PlanOptions& options) {
  ShotPicker* shots = setup.shots.get();
  std::mutex* picking = setup.picking.get();
  const auto shots_for = [shots, picking](std::size_t index) {
    const std::lock_guard lock(*picking);
    return shots->shots_for(index);
  };
  const auto for_each_shot = [shots, picking](const std::function<void(const Sample&)>& fn) {
    const std::lock_guard lock(*picking);
    shots->for_each_candidate(fn);
  };
  Plan plan = make_plan(
      {setup.task, *setup.dataset, model, shots_for, setup.source, setup.shot_pool_label, for_each_shot},
      options);
  plan.spec.first_samples = plan.chosen.empty() || plan.chosen.back() + 1 == plan.chosen.size();
  plan.spec.dataset.is_published = setup.is_published;
  plan.spec.notes = setup.notes;
  return plan;
}

namespace {

// "957 samples failed" and of these the most common kind of failure with one of its messages.
std::string failures_text(const Store& store, RunId run, std::size_t failed) {
  std::map<std::string, std::size_t> counts;
  std::map<std::string, std::string> examples;
  store.for_each(run, [&](const Record& record) {
    if (!record.failure) return;
    ++counts[record.failure->code];
    examples.try_emplace(record.failure->code, record.failure->message);
  });
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string text = fmt::format("{} sample{} failed", failed, failed == 1 ? "" : "s");
  if (most == counts.end()) return text;
  if (most->second < failed) text += fmt::format(", {} of them", most->second);
  return text +
         fmt::format(" with {}: {}", most->first, shorten(visible_line(examples.at(most->first)), 200));
}

std::string trouble_text(const ExecuteContext& context, RunId run, const TaskSetup& setup,
                         const EvaluateResult& result) {
  const std::string head = fmt::format("run {} ({}): ", static_cast<std::int64_t>(run), setup.task.name);
  const std::string resume =
      fmt::format("`micius resume {}{}`", static_cast<std::int64_t>(run), context.places);
  if (!result.message.empty()) return head + result.message + "; " + resume + " goes on";
  if (result.failed == 0) return "";
  return head + failures_text(context.store, run, result.failed) + "; " + resume + " asks again";
}

}  // namespace

EvaluateResult execute(const ExecuteContext& context, RunId run, const TaskSetup& setup, const Plan& plan,
                       Runner& runner) {
  EvaluateResult result;
  {
    ProgressDisplay display(context.board, setup.task.name, runner.info().name, setup.task.metrics.front(),
                            context.clock);
    result = evaluate({setup.task, plan, runner, *setup.scorer, context.store, context.clock, &display,
                       context.stop, std::thread::hardware_concurrency(), context.on_record},
                      run);
  }
  if (const std::string trouble = trouble_text(context, run, setup, result); !trouble.empty())
    context.board.print(visible_text(trouble));
  return result;
}

}  // namespace micius
