// A run that is killed again and again ends as one that was left alone.
#include <algorithm>
#include <chrono>

#include <catch2/catch.hpp>

#include "base/rng.h"
#include "core/record_json.h"
#include "pipeline/evaluate.h"
#include "pipeline/summarize.h"
#include "pipeline/two_turn_quiz.h"
#include "processes.h"
#include "runners/registry.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

constexpr std::size_t kSamples = 300;
const SystemClock kClock;
const QuizScorer kScorer;

PlanOptions twice() {
  PlanOptions options;
  options.repeats = 2;
  return options;
}

// Goes on with the only run of the database, which it begins if there is none. One sample fails each time but
// the last.
int go_on(const std::filesystem::path& path, std::chrono::microseconds pause, bool all_answer) {
  const Task task = two_turn_quiz();
  const MemoryDataset dataset = quiz_dataset(kSamples);
  CrowdRunner crowd(
      [all_answer](const Request& r) {
        return !all_answer && r.prompt.sample_id == "q9" ? failing("timeout") : mostly_right(r);
      },
      pause);
  const Plan plan = make_plan({task, dataset, crowd.info(), {}, task.name, ""}, twice());
  SqliteStore store(path, OpenMode::kCreate, kClock);
  const RunId run = store.runs().empty() ? store.begin(plan.spec, 1) : store.runs().front().id;
  evaluate({task, plan, crowd, kScorer, store, kClock, nullptr, {}}, run);
  return 0;
}

std::string everything(const std::filesystem::path& path) {
  const SqliteStore store(path, OpenMode::kExisting, kClock);
  std::string text;
  store.for_each(RunId{1}, [&](const Record& r) { text += dump_json(record_json(RunId{1}, r)) + "\n"; });
  return text;
}

std::size_t records_in(const std::filesystem::path& path) {
  const SqliteStore store(path, OpenMode::kCreate, kClock);
  return store.runs().empty() ? 0 : store.done(RunId{1}).size();
}

}  // namespace

TEST_CASE("killed twenty times and resumed, a run has the records of an undisturbed one") {
  const TempDir dir;
  const std::filesystem::path calm = dir.path() / "calm.db", killed = dir.path() / "killed.db";
  REQUIRE(wait_for(in_child([&] { return go_on(calm, {}, true); })) == 0);
  Rng rng("kill an evaluation");
  std::size_t kills = 0, there = 0, longest_us = 20'000;
  for (int child = 0; child < 500 && kills < 20; ++child) {
    const pid_t running = in_child([&] { return go_on(killed, std::chrono::microseconds(300), false); });
    const bool died = kill_after(running, static_cast<useconds_t>(rng.below(longest_us))) == -1;
    const std::size_t now = records_in(killed);
    // Machines differ: neither before the first record nor after the last.
    if (!died) longest_us = longest_us / 2 + 1000;
    if (died && now == there)
      longest_us = now == 0 ? std::min<std::size_t>(2 * longest_us, 2'000'000) : longest_us + 5'000;
    kills += died ? 1 : 0;
    there = now;
  }
  CHECK(kills == 20);
  CHECK(there > 0);
  REQUIRE(wait_for(in_child([&] { return go_on(killed, {}, true); })) == 0);
  CHECK(everything(killed) == everything(calm));
  const SqliteStore store(killed, OpenMode::kExisting, kClock);
  CHECK(store.done(RunId{1}).size() == 2 * kSamples);
}

TEST_CASE("samples a second through plan, reference, scorer and store", "[.speed]") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const Task task = two_turn_quiz(5000);
  const MemoryDataset dataset = quiz_dataset(10'000);
  const auto runner = make_runner("reference", {kClock});
  const auto start = kClock.now();
  const Plan plan = make_plan({task, dataset, runner->info(), {}, task.name, ""}, {});
  const RunId run = store.begin(plan.spec, 1);
  evaluate({task, plan, *runner, kScorer, store, kClock, nullptr, {}}, run);
  const std::chrono::duration<double> time = kClock.now() - start;
  const std::optional<Estimate> primary = primary_estimate(store, run);
  const std::chrono::duration<double> read = kClock.now() - start - time;
  WARN(10'000 / time.count() << " samples/s; reading them for an estimate takes " << read.count() << " s");
  REQUIRE(primary);
  CHECK(primary->value == 1);
}

}  // namespace micius
