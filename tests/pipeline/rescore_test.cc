#include "pipeline/rescore.h"

#include <catch2/catch.hpp>

#include "core/record_json.h"
#include "pipeline/evaluate.h"
#include "pipeline/two_turn_quiz.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

const SystemClock kClock;

class GenerousScorer final : public Scorer {
 public:
  std::string_view name() const override { return "generous"; }
  Score score(const Sample&, std::span<const Turn> turns) const override {
    return {Verdict::kCorrect, {{"kindness", 1}}, turns.back().observation, "always"};
  }
};

class NewEyes final : public Scorer {
 public:
  std::string_view name() const override { return "eyes"; }
  Score score(const Sample&, std::span<const Turn>) const override {
    return {Verdict::kCorrect, {{"acc", 1}}, "", ""};
  }
  std::string observe(const Sample&, std::span<const Turn> turns) const override {
    return std::to_string(turns.size()) + " turns, " + (turns.back().observation.empty() ? "no" : "an old") +
           " observation of the last";
  }
};

std::vector<std::string> lines_of(const Store& store, RunId run) {
  std::vector<std::string> lines;
  store.for_each(run, [&](const Record& r) { lines.push_back(dump_json(record_json(RunId{}, r))); });
  return lines;
}

}  // namespace

TEST_CASE("rescoring makes a new run of the stored turns and leaves the old one") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  Task task = two_turn_quiz();
  const MemoryDataset dataset = quiz_dataset(20);
  CrowdRunner crowd(
      [](const Request& r) { return r.prompt.sample_id == "q5" ? failing("timeout") : mostly_right(r); });
  const Plan plan = make_plan({task, dataset, crowd.info(), {}, task.name, ""}, {});
  const RunId old = store.begin(plan.spec, 1);
  const QuizScorer scorer;
  evaluate({task, plan, crowd, scorer, store, kClock, nullptr, {}}, old);
  const std::vector<std::string> before = lines_of(store, old);

  const RunId same = rescore({task, scorer, store, kClock, 2}, old);
  CHECK(same != old);
  CHECK(lines_of(store, same) == before);
  CHECK(spec_sha256(store.run(same).spec) == spec_sha256(plan.spec));
  CHECK(store.run(same).batch == 2);
  CHECK(store.run(same).status == RunStatus::kComplete);

  task.version = 2;
  task.scorer = {"generous"};
  task.metrics = {{"kindness"}};
  const RunId kind = rescore({task, GenerousScorer(), store, kClock, 3}, old);
  CHECK(store.run(kind).spec.task_version == 2);
  CHECK(store.run(kind).spec.metrics.at(0).name == "kindness");
  std::size_t correct = 0, failed = 0;
  store.for_each(kind, [&](const Record& record) {
    (record.failure ? failed : correct) += 1;
    if (!record.failure) CHECK(record.score.answer == R"({"turns": 2})");
  });
  CHECK(correct == 19);
  CHECK(failed == 1);
  CHECK(lines_of(store, old) == before);

  // The quiz observes how many turns there were: made again, it is the same.
  const RunId again = rescore({task, scorer, store, kClock, 4, Observations::kAgain}, old);
  CHECK(lines_of(store, again) == before);
  const NewEyes eyes;
  const RunId seen = rescore({task, eyes, store, kClock, 5, Observations::kAgain}, old);
  store.for_each(seen, [](const Record& record) {
    if (record.failure) return;
    CHECK(record.turns[0].observation == "1 turns, no observation of the last");
    CHECK(record.turns[1].observation == "2 turns, no observation of the last");
  });

  const RunId begun = store.begin(plan.spec, 6);
  CHECK_THROWS_WITH(rescore({task, scorer, store, kClock, 7}, begun),
                    "run 6 is unfinished and cannot be rescored; `micius resume 6` first");
  CHECK_FALSE(rescored_from(plan.spec));
  CHECK_THROWS_WITH(resume_rescore({task, scorer, store, kClock, 7}, begun), "run 6 is no rescored run");
}

TEST_CASE("a rescoring that did not get to its end goes on without the model") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const Task task = two_turn_quiz();
  const MemoryDataset dataset = quiz_dataset(20);
  CrowdRunner crowd(mostly_right);
  const Plan plan = make_plan({task, dataset, crowd.info(), {}, task.name, ""}, {});
  const RunId old = store.begin(plan.spec, 1);
  const QuizScorer scorer;
  evaluate({task, plan, crowd, scorer, store, kClock, nullptr, {}}, old);

  RunSpec spec = plan.spec;
  spec.environment["rescored"] = {{"run", static_cast<std::int64_t>(old)}, {"observed", true}};
  const RunId half = store.begin(spec, 2);
  std::size_t taken = 0;
  store.for_each(old, [&](const Record& record) {
    if (taken++ < 7) store.append(half, record);
  });
  const auto from = rescored_from(store.run(half).spec);
  REQUIRE(from);
  CHECK(from->run == old);
  CHECK(from->observations == Observations::kAgain);
  resume_rescore({task, scorer, store, kClock, 0, from->observations}, half);
  CHECK(store.run(half).status == RunStatus::kComplete);
  CHECK(lines_of(store, half) == lines_of(store, old));
}

}  // namespace micius
