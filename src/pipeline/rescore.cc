#include "pipeline/rescore.h"

#include <chrono>

#include "base/error.h"
#include "base/json.h"
#include "core/names.h"
#include "pipeline/judge.h"
#include "pipeline/summarize.h"

namespace micius {
namespace {

void observe_again(const Scorer& scorer, Record& record) {
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    record.turns[i].observation.clear();
    record.turns[i].observation = observe(scorer, record.sample, std::span(record.turns).first(i + 1));
  }
}

// False where it could not be judged.
bool score_again(const Rescoring& r, Record& record) {
  try {
    if (r.observations == Observations::kAgain) observe_again(r.scorer, record);
    record.score = judge(r.scorer, record.sample, record.turns);
    return true;
  } catch (const std::exception& error) {
    record.score = unjudged(error);
    return false;
  }
}

}  // namespace

std::optional<RescoredFrom> rescored_from(const RunSpec& spec) {
  const Json* from = find_json(spec.environment, "rescored");
  if (from == nullptr) return std::nullopt;
  return RescoredFrom{static_cast<RunId>(from->at("run").get<std::int64_t>()),
                      from->at("observed").get<bool>() ? Observations::kAgain : Observations::kStored};
}

RunId rescore(const Rescoring& r, RunId run) {
  const auto id = static_cast<std::int64_t>(run);
  const Run old = r.store.run(run);
  if (old.status != RunStatus::kComplete) {
    fail(ErrorCode::kUsage, "run {} is {} and cannot be rescored; `micius resume {}` first", id,
         name_of(old.status), id);
  }
  RunSpec spec = old.spec;
  spec.task_version = r.task.version;
  spec.scorer = r.task.scorer.name;
  spec.metrics = r.task.metrics;
  spec.breakdowns = r.task.breakdowns;
  spec.cluster = r.task.cluster;
  spec.environment.erase("scorer");
  if (Json judged = r.scorer.environment(); !judged.empty()) spec.environment["scorer"] = std::move(judged);
  spec.environment["rescored"] = {{"run", id}, {"observed", r.observations == Observations::kAgain}};
  const RunId made = r.store.begin(spec, r.batch);
  resume_rescore(r, made);
  return made;
}

void resume_rescore(const Rescoring& r, RunId made) {
  const Clock::time_point start = r.clock.now();
  const auto from = rescored_from(r.store.run(made).spec);
  if (!from) fail(ErrorCode::kUsage, "run {} is no rescored run", static_cast<std::int64_t>(made));
  const DoneSet done = r.store.done(made);
  bool failed = false;
  std::size_t faults_in_a_row = 0;
  r.store.for_each(from->run, [&](const Record& stored) {
    if (done.contains({stored.sample.id, stored.repeat})) return;
    Record record = stored;
    if (record.failure) {
      failed = true;
    } else if (score_again(r, record)) {
      faults_in_a_row = 0;
    } else if (++faults_in_a_row == kMostUnjudged) {
      fail(ErrorCode::kIo, "{} answers in a row: {}", kMostUnjudged, record.score.reason);
    }
    r.store.append(made, record);
  });
  std::optional<Estimate> primary;
  if (!failed) primary = primary_estimate(r.store, made);
  const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(r.clock.now() - start);
  r.store.finish(made, RunStatus::kComplete, wall.count(), primary);
}

}  // namespace micius
