#include "pipeline/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"
#include "core/record_json.h"
#include "pipeline/judges.h"
#include "pipeline/rescore.h"
#include "pipeline/two_turn_quiz.h"
#include "processes.h"
#include "runners/registry.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

const SystemClock kClock;
const QuizScorer kScorer;

Plan plan_of(const Task& task, const Dataset& dataset, const Runner& runner,
             const PlanOptions& options = {}) {
  return make_plan({task, dataset, runner.info(), {}, task.name, ""}, options);
}

std::vector<std::string> lines_of(const Store& store, RunId run) {
  std::vector<std::string> lines;
  store.for_each(run, [&](const Record& record) { lines.push_back(dump_json(record_json(run, record))); });
  return lines;
}

std::size_t count(const Store& store, RunId run, Verdict verdict) {
  std::size_t n = 0;
  store.for_each(run, [&](const Record& r) { n += !r.failure && r.score.verdict == verdict ? 1u : 0u; });
  return n;
}

// One evaluation of a quiz by a runner.
struct Setting {
  Setting(Task a_task, std::size_t samples, Runner& a_runner, const PlanOptions& options = {})
      : task(std::move(a_task)),
        dataset(quiz_dataset(samples)),
        runner(a_runner),
        plan(plan_of(task, dataset, runner, options)),
        run(store.begin(plan.spec, 1)) {}
  EvaluateResult evaluate_with(Runner& other, std::stop_token stop = {},
                               EvaluateObserver* observer = nullptr) {
    return evaluate({task, plan, other, kScorer, store, kClock, observer, std::move(stop), 3}, run);
  }
  EvaluateResult evaluate_all() { return evaluate_with(runner); }

  Task task;
  MemoryDataset dataset;
  Runner& runner;
  Plan plan;
  TempDir dir;
  SqliteStore store{dir.path() / "a.db", OpenMode::kCreate, kClock};
  RunId run;
};

}  // namespace

TEST_CASE("the reference is always right, empty never, random seldom") {
  for (const auto& [model, low, high] :
       {std::tuple("reference", 60u, 60u), std::tuple("empty", 0u, 0u), std::tuple("random", 0u, 0u)}) {
    const auto runner = make_runner(model, {kClock});
    Setting s(two_turn_quiz(), 60, *runner);
    const EvaluateResult result = s.evaluate_all();
    CHECK(result.status == RunStatus::kComplete);
    CHECK(result.failed == 0);
    CHECK(count(s.store, s.run, Verdict::kCorrect) >= low);
    CHECK(count(s.store, s.run, Verdict::kCorrect) <= high);
    CHECK(s.store.run(s.run).status == RunStatus::kComplete);
  }
}

TEST_CASE("of three choices the reference weighs the right one, random any, empty none") {
  for (const auto& [model, low, high] :
       {std::tuple("reference", 60u, 60u), std::tuple("empty", 0u, 0u), std::tuple("random", 10u, 30u)}) {
    const auto runner = make_runner(model, {kClock});
    Setting s(choice_quiz(), 60, *runner);
    s.evaluate_all();
    CHECK(count(s.store, s.run, Verdict::kCorrect) >= low);
    CHECK(count(s.store, s.run, Verdict::kCorrect) <= high);
    CHECK((count(s.store, s.run, Verdict::kNoAnswer) == 60) == (std::string(model) == "empty"));
  }
}

TEST_CASE("records do not depend on the order of the answers") {
  CrowdRunner crowd(mostly_right), again(mostly_right);
  Setting a(two_turn_quiz(), 50, crowd), b(two_turn_quiz(), 50, again);
  a.evaluate_all();
  b.evaluate_all();
  CHECK(lines_of(a.store, a.run) == lines_of(b.store, b.run));
  CHECK(count(a.store, a.run, Verdict::kCorrect) == 45);
  CHECK(lines_of(a.store, a.run).size() == 50);
}

TEST_CASE("requests carry their place, options and answers") {
  CrowdRunner crowd(mostly_right);
  PlanOptions options;
  options.repeats = 2;
  Setting s(two_turn_quiz(), 10, crowd, options);
  s.evaluate_all();
  CHECK(crowd.asked().size() == 40);
  CHECK(crowd.most_at_once() == 8);
  for (const Request& r : crowd.requests()) {
    const std::string& id = r.prompt.sample_id;
    CHECK(r.asked_for.empty());
    CHECK(r.options.stream == id + "/" + std::to_string(r.repeat) + "/" + std::to_string(r.turn));
    CHECK(r.options.max_tokens == (r.turn == 0 ? 32 : 16));
    CHECK(r.options.seed == 1234);
    CHECK(r.reference == id.substr(1) + std::string(r.turn, '!'));
    const int other = std::stoi(r.other_reference);
    CHECK(other % 2 == std::stoi(id.substr(1)) % 2);
    CHECK(std::to_string(other) != id.substr(1));
  }
}

TEST_CASE("what a server is asked is asked for a record of one run, in each of its executions") {
  bool fails = true;
  CrowdRunner crowd([&](const Request& r) { return fails ? failing("timeout") : mostly_right(r); });
  crowd.ask_at("https://models.example/v1");
  Setting s(two_turn_quiz(), 3, crowd);
  s.evaluate_all();
  fails = false;
  s.evaluate_all();
  std::map<std::string, int> asked;
  for (const Request& r : crowd.requests()) ++asked[r.asked_for];
  CHECK(asked.size() == 3 * 2);
  for (const Request& r : crowd.requests()) CHECK(asked.at(r.asked_for) == (r.turn == 0 ? 2 : 1));
  s.run = s.store.begin(s.plan.spec, 2);
  s.evaluate_all();
  for (const Request& r : crowd.requests()) ++asked[r.asked_for];
  CHECK(asked.size() == 2 * 3 * 2);
}

TEST_CASE("a limit that the user sets goes over those of the turns") {
  CrowdRunner crowd(mostly_right);
  PlanOptions options;
  options.max_tokens = 7;
  Setting s(two_turn_quiz(), 3, crowd, options);
  s.evaluate_all();
  for (const Request& r : crowd.requests()) CHECK(r.options.max_tokens == 7);
}

TEST_CASE("what the scorer sees goes into the next prompt and the record") {
  CrowdRunner crowd(mostly_right);
  Setting s(two_turn_quiz(), 1, crowd);
  s.evaluate_all();
  s.store.for_each(s.run, [](const Record& record) {
    REQUIRE(record.turns.size() == 2);
    CHECK(record.turns[0].observation == R"({"turns": 1})");
    CHECK(record.turns[1].observation == R"({"turns": 2})");
    CHECK(std::get<GenerateInput>(record.turns[1].prompt.input).messages.back().content ==
          R"(Sure? {"turns": 1})");
  });
}

TEST_CASE("a failed sample is stored as one, and asked again by the next evaluation") {
  const auto third_fails = [](const Request& r) {
    return r.prompt.sample_id == "q3" && r.turn == 1 ? failing("timeout") : mostly_right(r);
  };
  CrowdRunner flaky(third_fails), sound(mostly_right), undisturbed(mostly_right);
  Setting s(two_turn_quiz(), 20, flaky), all(two_turn_quiz(), 20, undisturbed);
  const EvaluateResult result = s.evaluate_all();
  CHECK(result.status == RunStatus::kComplete);
  CHECK(result.failed == 1);
  s.store.for_each(s.run, [](const Record& record) {
    if (record.sample.id != "q3") return;
    REQUIRE(record.failure);
    CHECK(*record.failure == Failure{"timeout", "as the test asked", 3});
    REQUIRE(record.turns.size() == 2);
    CHECK(record.turns[0].completion.text == "3");
    CHECK(record.turns[1].completion.stop_reason == StopReason::kFailed);
  });
  CHECK(s.evaluate_with(sound).failed == 0);
  CHECK(sound.asked() == std::map<CrowdRunner::Key, int>{{{"q3", 0, 0}, 1}, {{"q3", 0, 1}, 1}});
  all.evaluate_all();
  CHECK(lines_of(s.store, s.run) == lines_of(all.store, all.run));
}

TEST_CASE("a model that is gone stops the run, samples that are at fault do not") {
  CrowdRunner dead([](const Request&) { return failing("connection_refused"); });
  Setting s(two_turn_quiz(), 200, dead);
  const EvaluateResult result = s.evaluate_all();
  CHECK(result.status == RunStatus::kStopped);
  CHECK(result.message == "16 requests failed in a row, the last with connection_refused: as the test asked");
  CHECK(dead.requests().size() < 40);
  CHECK(s.store.run(s.run).status == RunStatus::kStopped);
  CrowdRunner sound(mostly_right);
  CHECK(s.evaluate_with(sound).status == RunStatus::kComplete);
  CHECK(s.store.done(s.run).size() == 200);

  CrowdRunner small([](const Request&) { return failing("context_too_long"); });
  Setting t(two_turn_quiz(), 50, small);
  CHECK(t.evaluate_all().status == RunStatus::kComplete);
  CHECK(lines_of(t.store, t.run).size() == 50);
}

TEST_CASE("a failure that every request would share stops the run at once, without a record") {
  CrowdRunner refused([](const Request& r) {
    if (r.prompt.sample_id == "q0" || r.turn == 0) return mostly_right(r);
    Completion completion = failing("key_refused");
    completion.failure->stops_run = true;
    return completion;
  });
  Setting s(two_turn_quiz(), 200, refused);
  const EvaluateResult result = s.evaluate_all();
  CHECK(result.status == RunStatus::kStopped);
  CHECK(result.message == "key_refused: as the test asked");
  CHECK(result.failed == 0);
  s.store.for_each(s.run, [](const Record& record) { CHECK_FALSE(record.failure); });
  CrowdRunner sound(mostly_right);
  CHECK(s.evaluate_with(sound).status == RunStatus::kComplete);
  CHECK(s.store.done(s.run).size() == 200);
}

namespace {

// Asks for a stop at the tenth record.
class StopAtTen final : public EvaluateObserver {
 public:
  void on_progress(const Progress& progress) override {
    last = progress;
    if (progress.new_records == 10) source.request_stop();
  }
  std::stop_source source;
  Progress last;
};

}  // namespace

TEST_CASE("an interrupted run keeps what is done and goes on from there") {
  CrowdRunner first(mostly_right, std::chrono::microseconds(100)), second(mostly_right), whole(mostly_right);
  Setting s(two_turn_quiz(), 60, first), all(two_turn_quiz(), 60, whole);
  StopAtTen observer;
  const EvaluateResult result = s.evaluate_with(first, observer.source.get_token(), &observer);
  CHECK(result.interrupted);
  CHECK(result.status == RunStatus::kUnfinished);
  CHECK(s.store.run(s.run).status == RunStatus::kUnfinished);
  const DoneSet done = s.store.done(s.run);
  CHECK(done.size() >= 10);
  CHECK(done.size() < 60);

  StopAtTen progress;
  CHECK(s.evaluate_with(second, {}, &progress).status == RunStatus::kComplete);
  for (const auto& [key, times] : second.asked()) {
    CHECK(times == 1);
    CHECK(done.count({std::get<0>(key), std::get<1>(key)}) == 0);
  }
  all.evaluate_all();
  CHECK(lines_of(s.store, s.run) == lines_of(all.store, all.run));
  CHECK(progress.last.total == 60);
  CHECK(progress.last.done == 60);
  CHECK(progress.last.new_records == 60 - done.size());
  CHECK(progress.last.prompt_tokens == 60 * 20);
  REQUIRE(progress.last.primary.estimate());
  CHECK(progress.last.primary.estimate()->value == Approx(0.9));
}

TEST_CASE("samples that come while a run goes on are asked as well, done ones are not") {
  CrowdRunner crowd(mostly_right), whole(mostly_right);
  Setting s(two_turn_quiz(), 60, crowd), all(two_turn_quiz(), 60, whole);
  all.evaluate_all();
  const std::string last = s.plan.spec.sample_ids.back();
  const std::vector<std::size_t> chosen = std::exchange(s.plan.chosen, {0, 1, 2});
  std::size_t next = 3, calls = 0;
  const auto more = [&] {
    ++calls;
    MoreSamples samples;
    for (; next < chosen.size() && samples.chosen.size() < 3; ++next) samples.chosen.push_back(chosen[next]);
    if (next < chosen.size() || samples.chosen.empty()) return samples;
    // Somebody else has done the last one.
    all.store.for_each(all.run, [&](const Record& record) {
      if (record.sample.id == last) s.store.append(s.run, record);
    });
    samples.done = {{last, 0}};
    return samples;
  };
  StopAtTen progress;
  const EvaluateResult result = evaluate({.task = s.task,
                                          .plan = s.plan,
                                          .runner = crowd,
                                          .scorer = kScorer,
                                          .store = s.store,
                                          .clock = kClock,
                                          .observer = &progress,
                                          .judges = 3,
                                          .more = more},
                                         s.run);
  CHECK(result.status == RunStatus::kComplete);
  CHECK(calls == 20);
  CHECK(lines_of(s.store, s.run) == lines_of(all.store, all.run));
  CHECK(progress.last.total == 60);
  CHECK(progress.last.new_records == 59);
  for (const auto& [key, times] : crowd.asked()) CHECK(times == 1);
}

TEST_CASE("a stop before the first request asks nothing") {
  CrowdRunner crowd(mostly_right);
  Setting s(two_turn_quiz(), 5, crowd);
  std::stop_source source;
  source.request_stop();
  CHECK(s.evaluate_with(crowd, source.get_token()).interrupted);
  CHECK(crowd.requests().empty());
}

TEST_CASE("hostile answers are made harmless before anything reads them") {
  CrowdRunner rude([](const Request&) {
    Completion completion;
    completion.text = "a\xff\xc3z";
    return completion;
  });
  Setting s(two_turn_quiz(), 1, rude);
  s.evaluate_all();
  s.store.for_each(s.run, [](const Record& record) {
    CHECK(record.turns[0].completion.text == "a\xef\xbf\xbd\xef\xbf\xbdz");
    CHECK(std::get<GenerateInput>(record.turns[1].prompt.input).messages[1].content ==
          record.turns[0].completion.text);
  });

  CrowdRunner broken([](const Request&) {
    Completion completion;
    completion.likelihoods = {{-1, 1, true}, {std::nan(""), 1, false}, {-1, 1, false}};
    return completion;
  });
  Setting t(choice_quiz(), 1, broken);
  CHECK(t.evaluate_all().failed == 1);
  t.store.for_each(t.run, [](const Record& record) { CHECK(record.failure->code == "not_finite"); });
}

namespace {

// Runs a quiz's observations for a while, and counts how many run at once.
class SlowScorer final : public Scorer {
 public:
  std::string_view name() const override { return "slow"; }
  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    return kScorer.score(sample, turns);
  }
  std::string observe(const Sample& sample, std::span<const Turn> turns) const override {
    if (sample.id == broken) fail(ErrorCode::kIo, "the sandbox of {} broke", sample.id);
    std::unique_lock lock(mutex);
    most_at_once = std::max(most_at_once, ++running);
    changed.notify_all();
    // Ends at once where three run together, as they must sooner or later.
    changed.wait_for(lock, std::chrono::seconds(10), [&] { return most_at_once == 3; });
    --running;
    return kScorer.observe(sample, turns);
  }
  std::string broken;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  mutable int running = 0, most_at_once = 0;
};

}  // namespace

TEST_CASE("answers are observed side by side") {
  CrowdRunner crowd(mostly_right), again(mostly_right);
  Setting s(two_turn_quiz(), 50, crowd), plain(two_turn_quiz(), 50, again);
  const SlowScorer slow;
  evaluate({s.task, s.plan, crowd, slow, s.store, kClock, nullptr, {}, 3}, s.run);
  CHECK(slow.most_at_once == 3);
  plain.evaluate_all();
  CHECK(lines_of(s.store, s.run) == lines_of(plain.store, plain.run));
}

TEST_CASE("an error while judging is one sample's") {
  CrowdRunner crowd(mostly_right);
  Setting s(two_turn_quiz(), 50, crowd);
  SlowScorer slow;
  slow.broken = "q40";
  const EvaluateResult result =
      evaluate({s.task, s.plan, crowd, slow, s.store, kClock, nullptr, {}, 3}, s.run);
  CHECK(result.status == RunStatus::kComplete);
  CHECK(result.failed == 0);
  CHECK(s.store.done(s.run).size() == 50);
  CHECK(count(s.store, s.run, Verdict::kUnscored) == 1);
  s.store.for_each(s.run, [](const Record& record) {
    if (record.sample.id != "q40") return;
    CHECK(record.turns.size() == 1);
    CHECK(record.score.values.empty());
    CHECK(record.score.reason == "could not be judged: the sandbox of q40 broke");
  });

  const RunId again = rescore({s.task, slow, s.store, kClock, 2, Observations::kAgain}, s.run);
  CHECK(count(s.store, again, Verdict::kUnscored) == 1);
}

namespace {

class BrokenScorer final : public Scorer {
 public:
  std::string_view name() const override { return "broken"; }
  Score score(const Sample&, std::span<const Turn>) const override { return {}; }
  std::string observe(const Sample&, std::span<const Turn>) const override {
    throw std::runtime_error("no sandbox");
  }
};

}  // namespace

TEST_CASE("a run whose answers cannot be judged at all stops and can be resumed") {
  CrowdRunner crowd(mostly_right), sound(mostly_right);
  Setting s(two_turn_quiz(), 200, crowd);
  const BrokenScorer broken;
  const EvaluateResult result =
      evaluate({s.task, s.plan, crowd, broken, s.store, kClock, nullptr, {}, 3}, s.run);
  CHECK(result.status == RunStatus::kStopped);
  CHECK_THAT(result.message, Catch::Contains("16 answers in a row: could not be judged: no sandbox; "));
  CHECK(s.store.done(s.run).size() < 60);
  CHECK(s.evaluate_with(sound).status == RunStatus::kComplete);
  CHECK(s.store.done(s.run).size() == 200);
  CHECK_THROWS_WITH(rescore({s.task, broken, s.store, kClock, 2, Observations::kAgain}, s.run),
                    "16 answers in a row: could not be judged: no sandbox");
}

TEST_CASE("where no more threads may be had the judges end with an error") {
  const pid_t child = in_child([] {
    const rlimit few{4, 4};
    if (::geteuid() == 0 && ::setuid(54'321) != 0) return 3;
    if (::setrlimit(RLIMIT_NPROC, &few) != 0) return 4;
    const Task task = two_turn_quiz();
    const QuizScorer scorer;
    Mailbox mailbox;
    try {
      const Judges judges(64, task, scorer, mailbox);
    } catch (const std::system_error&) {
      return 0;
    }
    return 5;
  });
  int status = 0, ended = 0;
  for (int tries = 0; ended == 0 && tries < 2'000; ++tries) {
    ::usleep(10'000);
    ended = ::waitpid(child, &status, WNOHANG);
  }
  if (ended == 0) kill_after(child, 0);
  REQUIRE(ended == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("an error ends the run once every request has ended") {
  CrowdRunner crowd(mostly_right, std::chrono::microseconds(100));
  Setting s(two_turn_quiz(), 50, crowd);
  s.run = s.store.begin(RunSpec(), 1);  // has none of the samples
  CHECK_THROWS_WITH(s.evaluate_all(), Catch::Contains("'q"));
}

}  // namespace micius
