#include "cli/early_stop.h"

#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"

namespace micius {
namespace {

std::string note_of(const Decision& decision, const std::string& baseline, std::size_t total, double alpha) {
  const std::string gap = format_difference(std::abs(decision.difference), "fraction").substr(1);
  const std::string evidence = decision.p
                                   ? fmt::format("p {} at any time, mixture SPRT", format_p(*decision.p))
                                   : fmt::format("{} to {} at all times, empirical Bernstein",
                                                 format_difference(decision.interval->low, "fraction"),
                                                 format_difference(decision.interval->high, "fraction"));
  return fmt::format(
      "{}: {} than baseline '{}' by {} on the first {} of {} samples ({}, level {:g}); other intervals do "
      "not allow for the stop",
      kDecidedNote, decision.is_better ? "better" : "worse", baseline, gap, decision.samples, total, evidence,
      alpha);
}

}  // namespace

Duel EarlyStop::duel_of(const Plan& plan) const {
  for (const RunId id : baseline_)
    if (store_->run(id).spec.task == plan.spec.task) {
      ScoredRun baseline = read_scored_run(*store_, id, "");
      if (const MetricInfo own = compared_metric(plan.spec, ""); !is_same_metric(own, baseline.metric))
        fail(ErrorCode::kUndecided,
             "--stop-when-decided: {} is judged by {}, run {} of the baseline '{}' by {}; take a baseline of "
             "the same metric",
             plan.spec.task, own.name, static_cast<std::int64_t>(id), name_, baseline.metric.name);
      return Duel(std::move(baseline), plan, alpha());
    }
  fail(ErrorCode::kUsage, "--stop-when-decided: the baseline '{}' has no run of {}", name_, plan.spec.task);
}

EvaluateResult EarlyStop::execute(ExecuteContext context, RunId run, const TaskSetup& setup, const Plan& plan,
                                  Runner& runner) const {
  Duel duel = duel_of(plan);
  std::stop_source stop;
  const std::stop_callback interrupted(context.stop, [&stop] { stop.request_stop(); });
  const std::stop_token user = context.stop;
  context.stop = stop.get_token();
  context.on_record = [&](const Record& record) {
    duel.add(record);
    if (duel.decision()) stop.request_stop();
  };
  EvaluateResult result = micius::execute(context, run, setup, plan, runner);
  if (!duel.decision() || result.status == RunStatus::kComplete || user.stop_requested()) return result;
  const std::string note = note_of(*duel.decision(), name_, plan.chosen.size(), alpha());
  forget_stop(*store_, run);  // of an earlier one
  std::vector<std::string> notes = store_->run(run).spec.notes;
  notes.push_back(note);
  store_->set_notes(run, notes);
  store_->finish(run, RunStatus::kStopped, 0, std::nullopt);
  const auto number = static_cast<std::int64_t>(run);
  context.board.print(visible_text(fmt::format("run {} ({}): {}; `micius resume {}{}` asks the rest", number,
                                               plan.spec.task, note, number, context.places)));
  result.interrupted = false;
  return result;
}

void forget_stop(SqlStore& store, RunId run) {
  std::vector<std::string> notes = store.run(run).spec.notes;
  if (std::erase_if(notes, [](const std::string& note) { return note.starts_with(kDecidedNote); }) > 0)
    store.set_notes(run, notes);
}

}  // namespace micius
