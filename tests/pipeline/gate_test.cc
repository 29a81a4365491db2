#include "pipeline/gate.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "core/price.h"
#include "memory_store.h"

namespace micius {
namespace {

// A complete run of n samples of which the first `right` are right.
struct Made {
  std::string task = "quiz";
  std::size_t n = 400, right = 300;
  int version = 1;
  std::string model_kind = "engine", data = "d";
  std::size_t no_answer = 0;  // of the wrong ones
  std::int64_t wall_ns = 1'000'000'000;
  int tokens = 0;                 // of each answer's prompt, at a dollar for 1,000
  std::size_t stopped_after = 0;  // records, once decided; 0: complete
  std::size_t cluster_size = 1;
  std::string unit = "fraction";
};

RunId add_run(Store& store, const Made& made) {
  RunSpec spec;
  spec.task = made.task;
  spec.task_version = made.version;
  spec.dataset.sha256 = made.data;
  spec.model = {"m", made.model_kind, "", made.model_kind == "engine" ? "" : "https://models.example/v1"};
  spec.metrics = {{"acc", made.unit}};
  if (made.tokens > 0) spec.environment["price"] = to_json(Price{"2026-01-01", 1'000'000'000, 0, 0});
  for (std::size_t i = 0; i < made.n; ++i) spec.sample_ids.push_back(std::to_string(i));
  if (made.cluster_size > 1) spec.cluster = "family";
  if (made.stopped_after > 0) spec.notes = {"stopped once decided: worse than baseline 'main'"};
  const RunId run = store.begin(spec, 1);
  for (std::size_t i = 0; i < (made.stopped_after > 0 ? made.stopped_after : made.n); ++i) {
    Record record;
    record.sample.id = spec.sample_ids[i];
    record.sample.extra = {{"family", i / made.cluster_size}};
    const bool right = i < made.right;
    record.score.verdict = right                             ? Verdict::kCorrect
                           : i < made.right + made.no_answer ? Verdict::kNoAnswer
                                                             : Verdict::kIncorrect;
    record.score.values = {{"acc", right ? 1.0 : 0.0}};
    if (made.tokens > 0) record.turns.emplace_back().completion.prompt_tokens = made.tokens;
    store.append(run, record);
  }
  store.finish(run, made.stopped_after > 0 ? RunStatus::kStopped : RunStatus::kComplete, made.wall_ns,
               std::nullopt);
  return run;
}

GateResult result_of(const Made& before, const Made& now,
                     const std::string& policy = "{\"micius_policy\": 1}") {
  MemoryStore store;
  const RunId a = add_run(store, before), b = add_run(store, now);
  return gate(store, {a}, {b}, read_policy(policy, "policy.json"));
}

std::string problem(const std::string& policy) {
  try {
    read_policy(policy, "policy.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the same answers pass, spoiled ones fail and are named") {
  CHECK(result_of({}, {}).verdict == GateVerdict::kPass);
  const GateResult spoiled = result_of({}, {.right = 288});  // 3 %
  CHECK(spoiled.verdict == GateVerdict::kFail);
  REQUIRE(spoiled.checks.size() == 1);
  const GateCheck& check = spoiled.checks.front();
  CHECK(check.metric == "acc");
  CHECK(*check.difference == Approx(-0.03));
  CHECK(*check.p < 0.001);
  CHECK(check.worse == 12);
  CHECK(check.samples.size() == 10);
  CHECK(check.samples.front() == "288");
  CHECK(check.reason.find("worse by 3.0 points, more than 2.0 points") == 0);
  CHECK(result_of({}, {.right = 320}).verdict == GateVerdict::kPass);  // better
}

TEST_CASE("too few samples are inconclusive, and the reason says how many would do") {
  const GateResult few = result_of({.n = 20, .right = 10}, {.n = 20, .right = 10});
  CHECK(few.verdict == GateVerdict::kInconclusive);
  const GateResult some = result_of({.n = 60, .right = 40}, {.n = 60, .right = 38});
  CHECK(some.verdict == GateVerdict::kInconclusive);
  CHECK(some.checks.front().reason.find("samples would tell") != std::string::npos);
}

TEST_CASE("as many unchanged samples as the reason says do tell, and one fewer does not") {
  const auto same = [](std::size_t n) { return result_of({.n = n, .right = 10}, {.n = n, .right = 10}); };
  CHECK(
      same(20).checks.front().reason ==
      "did not change on 20 samples (p = 1.000): a fall of 2.0 points cannot be ruled out; about 189 samples "
      "would tell");
  CHECK(same(188).verdict == GateVerdict::kInconclusive);
  CHECK(same(189).verdict == GateVerdict::kPass);
  const Made clustered{.n = 40, .right = 20, .cluster_size = 2};
  CHECK(result_of(clustered, clustered).checks.front().reason.find("about 189 clusters would tell") !=
        std::string::npos);
}

TEST_CASE("a reason ends with what its samples are") {
  const auto check_of = [](std::size_t right) {
    return result_of({.n = 60, .right = 40}, {.n = 60, .right = right}).checks.front();
  };
  CHECK(check_of(38).reason.ends_with(" samples would tell; 2 of 60 samples got worse"));
  CHECK(check_of(0).reason.ends_with("; 40 of 60 samples got worse"));
  CHECK(check_of(39).reason.find(" samples would tell; 1 of 60 samples got worse") != std::string::npos);
  CHECK(check_of(41).reason.find("got worse") == std::string::npos);
}

TEST_CASE("a missing task fails, and what is of another kind is inconclusive") {
  const GateResult missing = result_of({}, {.task = "other"});
  CHECK(missing.verdict == GateVerdict::kFail);
  CHECK(missing.checks.front().reason.find("lack it") != std::string::npos);
  CHECK(result_of({}, {.version = 2}).verdict == GateVerdict::kInconclusive);
  CHECK(result_of({}, {.data = "e"}).verdict == GateVerdict::kInconclusive);
}

TEST_CASE("two current runs of one task are refused, as a gate would only see one") {
  MemoryStore store;
  const RunId before = add_run(store, {}), bad = add_run(store, {.right = 0}), good = add_run(store, {});
  const Policy policy = read_policy("{\"micius_policy\": 1}", "policy.json");
  for (const auto& [first, second] : {std::pair{bad, good}, std::pair{good, bad}}) {
    try {
      gate(store, {before}, {first, second}, policy);
      FAIL("judged");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kUsage);
      CHECK(std::string(error.what()).find("two of these runs are of quiz: run ") == 0);
      CHECK(std::string(error.what()).find("run 2 (m)") != std::string::npos);
    }
  }
  CHECK_THROWS_WITH(gate(store, {before}, {bad, good, before}, policy),
                    Catch::StartsWith("3 of these runs are of quiz: run 2 (m), run 3 (m), run 1 (m); "));
}

TEST_CASE("a task that a policy names and no run is of is an error") {
  CHECK_THROWS_WITH(
      result_of({}, {}, R"({"micius_policy": 1, "tasks": {"qiuz": {"max_drop": 0.01}}})"),
      "policy.json: field 'tasks': neither the baseline nor the current runs are of 'qiuz' (did "
      "you mean 'quiz'?); they are of quiz");
  CHECK_THROWS_WITH(
      result_of({}, {}, R"({"micius_policy": 1, "must_pass": [{"task": "qiuz", "samples": ["1"]}]})"),
      Catch::StartsWith("policy.json: field 'must_pass': neither the baseline"));
  const std::string glob = R"({"micius_policy": 1, "tasks": {"mmlu_*": {"max_drop": 0.01}}})";
  CHECK(result_of({}, {}, glob).verdict == GateVerdict::kPass);
}

TEST_CASE("a task that a policy names and only one side has does not pass") {
  const std::string policy =
      R"({"micius_policy": 1, "tasks": {"quiz": {}, "other": {}}, "must_pass": [{"task": "quiz", "samples": ["1"]}]})";
  const GateResult result = result_of({}, {.task = "other"}, policy);
  CHECK(result.verdict == GateVerdict::kFail);
  REQUIRE(result.checks.size() == 3);
  CHECK(result.checks[1].task == "other");
  CHECK(result.checks[1].verdict == GateVerdict::kInconclusive);
  CHECK(result.checks[1].reason.find("the baseline has no run of this task") != std::string::npos);
  CHECK(result.checks[2].verdict == GateVerdict::kFail);
  CHECK(result.checks[2].reason == "the current runs lack this task");
}

TEST_CASE("a run that nothing judges is told of and does not fail") {
  MemoryStore store;
  const RunId before = add_run(store, {}), now = add_run(store, {}),
              other = add_run(store, {.task = "other"});
  const GateResult result =
      gate(store, {before}, {now, other}, read_policy(R"({"micius_policy": 1})", "policy.json"));
  CHECK(result.verdict == GateVerdict::kPass);
  REQUIRE(result.checks.size() == 2);
  CHECK(result.checks[0].verdict == GateVerdict::kPass);
  CHECK(result.checks[1].task == "other");
  CHECK(result.checks[1].verdict == GateVerdict::kWarn);
  CHECK(result.checks[1].current_run == other);
}

TEST_CASE("must-pass samples that are wrong and that are not there are told apart") {
  const auto check_of = [](const Made& now, const char* samples) {
    return result_of(
               {}, now,
               fmt::format(R"({{"micius_policy": 1, "must_pass": [{{"task": "quiz", "samples": {}}}]}})",
                           samples))
        .checks[1];
  };
  CHECK(check_of({}, R"(["5", "x", "399"])").reason ==
        "1 of 3 is not correct: 399; 1 of 3 is not there, the run has no such sample: x");
  CHECK(check_of({}, R"(["301", "302"])").reason == "2 of 2 are not correct: 301, 302");
  CHECK(check_of({.right = 0}, R"(["0","1","2","3","4","5","6","7","8","9","10","11"])").reason ==
        "12 of 12 are not correct: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
  // A run that was stopped has no such sample either.
  const GateCheck stopped = check_of({.stopped_after = 40}, R"(["5", "x"])");
  CHECK(stopped.verdict == GateVerdict::kFail);
  CHECK(stopped.samples == std::vector<std::string>{"x"});
}

TEST_CASE("a task's own rule goes over the defaults, and a warning does not fail") {
  const Made worse{.right = 288};
  CHECK(result_of({}, worse, R"({"micius_policy": 1, "tasks": {"quiz": {"max_drop": 0.1}}})").verdict ==
        GateVerdict::kPass);
  const GateResult warned =
      result_of({}, worse, R"({"micius_policy": 1, "tasks": {"q*": {"tier": "warn"}}})");
  CHECK(warned.verdict == GateVerdict::kPass);
  CHECK(warned.checks.front().verdict == GateVerdict::kWarn);
  CHECK(result_of({}, worse, R"({"micius_policy": 1, "defaults": {"alpha": 0.00001}})").verdict ==
        GateVerdict::kInconclusive);
}

TEST_CASE("a run that was stopped once decided is judged by a test that allows for it") {
  for (const std::size_t cluster_size : {std::size_t{1}, std::size_t{4}}) {
    const Made good{.right = 400, .cluster_size = cluster_size};
    const Made bad{.right = 0, .stopped_after = 200, .cluster_size = cluster_size};
    const GateResult worse = result_of(good, bad);
    INFO(cluster_size << ": " << worse.checks.front().reason);
    CHECK(worse.verdict == GateVerdict::kFail);
    CHECK(*worse.checks.front().difference == -1);
    CHECK(worse.checks.front().worse == 200);
    CHECK(worse.checks.front().reason.find("on the first 200 of 400 samples") != std::string::npos);
    const GateResult better = result_of({.right = 0, .cluster_size = cluster_size},
                                        {.right = 400, .stopped_after = 200, .cluster_size = cluster_size});
    CHECK(better.verdict == GateVerdict::kPass);
  }
  // The same 40 answers: at a fixed number of them Tango's interval would not rule out a fall either, but
  // here there is a way on.
  const GateResult open = result_of({}, {.stopped_after = 40});
  CHECK(open.verdict == GateVerdict::kInconclusive);
  CHECK(open.checks.front().reason.find("`micius resume 2` asks the rest") != std::string::npos);
}

TEST_CASE("the p-value of a stopped run is that of its sequence, not of its last look") {
  // 9 pairs that the run lost: 2^9 / 10 is e = 51, p = 0.0195; the exact test would say 0.0039.
  const GateResult result = result_of({.n = 100, .right = 100}, {.n = 100, .right = 0, .stopped_after = 9});
  CHECK(*result.checks.front().p == Approx(10.0 / 512));
  const GateResult two = [] {
    MemoryStore store;
    const RunId a = add_run(store, {.n = 100, .right = 100}), b = add_run(store, {.task = "b"});
    const RunId c = add_run(store, {.n = 100, .right = 0, .stopped_after = 9}),
                d = add_run(store, {.task = "b"});
    return gate(store, {a, b}, {c, d}, read_policy("{\"micius_policy\": 1}", "policy.json"));
  }();
  CHECK(*two.checks.front().p == Approx(20.0 / 512));  // Holm
}

TEST_CASE("what a stopped run was not asked is not held against it") {
  const std::string policy =
      R"({"micius_policy": 1, "must_pass": [{"task": "quiz", "samples": ["5", "299"]}]})";
  const Made stopped{.stopped_after = 40};
  CHECK(result_of({}, stopped, policy).checks[1].verdict == GateVerdict::kInconclusive);
  CHECK(result_of({}, {.right = 3, .stopped_after = 40}, policy).checks[1].verdict == GateVerdict::kFail);
  CHECK(result_of({}, {.stopped_after = 300}, policy).checks[1].verdict == GateVerdict::kPass);
  // A baseline that was stopped is no baseline.
  CHECK(result_of(stopped, {}).verdict == GateVerdict::kInconclusive);
}

TEST_CASE("must-pass samples, speed, cost and health") {
  const std::string policy =
      R"({"micius_policy": 1, "must_pass": [{"task": "quiz", "samples": ["5", "299", "x"]}],
    "speed": {"max_slowdown": 0.15}, "cost": {"max_usd": 5}, "health": {"max_failed": 0, "max_no_answer": 0.1}})";
  const GateResult good = result_of({}, {}, policy);
  REQUIRE(good.checks.size() == 6);
  CHECK(good.checks[1].verdict == GateVerdict::kFail);  // x is not there
  CHECK(good.checks[1].samples == std::vector<std::string>{"x"});
  for (const std::size_t i : {0u, 2u, 3u, 4u, 5u}) CHECK(good.checks[i].verdict == GateVerdict::kPass);

  Made bad;
  bad.right = 299;
  bad.no_answer = 50;
  bad.wall_ns = 2'000'000'000;
  bad.model_kind = "openai";
  const GateResult result = result_of({}, bad, policy);
  CHECK(result.checks[1].samples == std::vector<std::string>{"299", "x"});
  CHECK(result.checks[2].verdict == GateVerdict::kPass);  // none failed
  CHECK(result.checks[3].metric == "no_answer");
  CHECK(result.checks[3].verdict == GateVerdict::kFail);
  CHECK(result.checks[4].metric == "samples_per_s");
  CHECK(result.checks[4].verdict == GateVerdict::kFail);
  CHECK(result.checks[5].metric == "cost");
  CHECK(result.checks[5].verdict == GateVerdict::kInconclusive);  // its price is not known
}

TEST_CASE("the cost of all runs together") {
  class PricedStore final : public MemoryStore {
   public:
    Json overview() const override {
      return {{{"run_id", 1}, {"cost_usd", nullptr}}, {{"run_id", 2}, {"cost_usd", 3.5}}};
    }
  } store;
  const RunId before = add_run(store, {}), now = add_run(store, {.model_kind = "openai"});
  const auto check = [&](const char* policy) {
    return gate(store, {before}, {now}, read_policy(policy, "policy.json")).checks.back();
  };
  CHECK(check(R"({"micius_policy": 1, "cost": {"max_usd": 3.5}})").verdict == GateVerdict::kPass);
  const GateCheck over = check(R"({"micius_policy": 1, "cost": {"max_usd": 3}})");
  CHECK(over.verdict == GateVerdict::kFail);
  CHECK(over.reason == "$3.50, more than $3");
}

TEST_CASE("what a server's answers cost is held against the policy where it is known") {
  const std::string policy = R"({"micius_policy": 1, "cost": {"max_usd": 5}})";
  const auto check_of = [&](const Made& now) { return result_of({}, now, policy).checks.back(); };
  Made remote;
  remote.model_kind = "anthropic";
  CHECK(check_of(remote).verdict == GateVerdict::kInconclusive);
  remote.tokens = 10;
  CHECK(check_of(remote).verdict == GateVerdict::kPass);
  CHECK(*check_of(remote).current == Approx(4));
  remote.tokens = 20;
  CHECK(check_of(remote).verdict == GateVerdict::kFail);
}

TEST_CASE("a policy that is wrong names the field") {
  CHECK(problem(R"({"micius_policy": 2})").find("micius_policy") != std::string::npos);
  CHECK(problem(R"({"micius_policy": 1, "default": {}})").find("defaults") != std::string::npos);
  CHECK(problem(R"({"micius_policy": 1, "tasks": {"a": {"max_dorp": 1}}})").find("max_drop") !=
        std::string::npos);
  CHECK(problem(R"({"micius_policy": 1, "defaults": {"max_drop": -1}})").find("0 or more") !=
        std::string::npos);
  CHECK(problem(R"({"micius_policy": 1, "defaults": {"correction": "hollm"}})").find("holm") !=
        std::string::npos);
  CHECK(problem(R"({"micius_policy": 1, "must_pass": [{"task": "a"}]})").find("samples") !=
        std::string::npos);
  CHECK(problem(R"({"micius_policy": 1, "must_pass": {}})").find("list") != std::string::npos);
  CHECK(problem("[]").find("policy.json") != std::string::npos);
}

TEST_CASE("a policy that would let everything pass is refused") {
  using Catch::Contains;
  for (const char* group : {R"("speed": {"max_slowdown": 15})", R"("health": {"max_failed": 1.5})",
                            R"("health": {"max_no_answer": 10})"})
    CHECK_THAT(problem(std::string(R"({"micius_policy": 1, )") + group + "}"),
               Contains("is more than 1; it is a fraction: 0.05 is 5 points"));
  CHECK_THAT(problem(R"({"micius_policy": 1, "health": {"max_no_answer": 10}})"),
             Contains("policy.json: field 'health': field 'max_no_answer': 10 is more than 1"));
  CHECK_THAT(problem(R"({"micius_policy": 1, "defaults": {"alpha": 5}})"),
             Contains("policy.json: field 'defaults': field 'alpha': 5 is more than 1"));
  for (const char* alpha : {"0", "1"})
    CHECK_THAT(problem(std::string(R"({"micius_policy": 1, "defaults": {"alpha": )") + alpha + "}}"),
               Contains("policy.json: field 'defaults': field 'alpha': must be above 0 and below 1"));
  CHECK_THAT(problem(R"({"micius_policy": 1, "tasks": {"a": {"max_drop": 0.1}, "a": {"tier": "warn"}}})"),
             Contains("policy.json: key 'a' comes twice"));
  CHECK(problem(R"({"micius_policy": 1, "speed": {"max_slowdown": 1}, "cost": {"max_usd": 500}})").empty());
}

TEST_CASE("a fraction falls by 1 at most, and what is none may fall by more") {
  CHECK_THROWS_WITH(result_of({}, {}, R"({"micius_policy": 1, "defaults": {"max_drop": 5}})"),
                    "policy.json: field 'defaults': field 'max_drop': 5 is more than 1, and 'acc' of quiz is "
                    "a fraction: 0.05 is "
                    "5 points");
  CHECK_THROWS_WITH(
      result_of({}, {}, R"({"micius_policy": 1, "tasks": {"q*": {"max_drop": 2}}})"),
      Catch::StartsWith("policy.json: field 'tasks': field 'q*': field 'max_drop': 2 is more than 1"));
  CHECK(result_of({}, {}, R"({"micius_policy": 1, "tasks": {"q*": {"max_drop": 1}}})").verdict ==
        GateVerdict::kPass);
  CHECK(result_of({.unit = "nats"}, {.unit = "nats"}, R"({"micius_policy": 1, "defaults": {"max_drop": 5}})")
            .verdict == GateVerdict::kPass);
}

}  // namespace micius
