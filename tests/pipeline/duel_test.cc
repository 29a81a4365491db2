#include "pipeline/duel.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/rng.h"
#include "memory_store.h"

namespace micius {
namespace {

struct Setting {
  std::size_t samples = 400;
  double right = 0.8;  // of the baseline
  std::size_t cluster_size = 1;
  int repeats = 1;
};

Sample sample_of(const Setting& setting, std::size_t i) {
  Sample sample;
  sample.id = std::to_string(i);
  sample.targets = {"a"};
  sample.extra = {{"family", i / setting.cluster_size}};
  return sample;
}

RunSpec spec_of(const Setting& setting) {
  RunSpec spec;
  spec.task = "quiz";
  spec.metrics = {{"acc"}};
  spec.repeats = setting.repeats;
  if (setting.cluster_size > 1) spec.cluster = "family";
  for (std::size_t i = 0; i < setting.samples; ++i) spec.sample_ids.push_back(std::to_string(i));
  return spec;
}

Plan plan_of(const Setting& setting) {
  Plan plan;
  plan.spec = spec_of(setting);
  for (std::size_t i = 0; i < setting.samples; ++i) {
    plan.samples.push_back(sample_of(setting, i));
    plan.chosen.push_back(i);
  }
  return plan;
}

Record record_of(const Setting& setting, std::size_t i, int repeat, double value) {
  Record record;
  record.sample = sample_of(setting, i);
  record.repeat = repeat;
  record.score = {value == 1 ? Verdict::kCorrect : Verdict::kIncorrect, {{"acc", value}}, "", ""};
  return record;
}

// Answers of which a share is right, one value a cluster, as families of questions have it.
class Answers {
 public:
  Answers(std::string seed, double right) : seed_(std::move(seed)), right_(right) {}
  double value(const Setting& setting, std::size_t i, int repeat) const {
    return Rng(fmt::format("{}/{}/{}", seed_, i / setting.cluster_size, repeat)).uniform() < right_ ? 1 : 0;
  }

 private:
  std::string seed_;
  double right_;
};

ScoredRun baseline_of(const Setting& setting, const std::string& seed) {
  MemoryStore store;
  const RunId run = store.begin(spec_of(setting), 1);
  const Answers answers(seed, setting.right);
  for (std::size_t i = 0; i < setting.samples; ++i)
    for (int repeat = 0; repeat < setting.repeats; ++repeat)
      store.append(run, record_of(setting, i, repeat, answers.value(setting, i, repeat)));
  store.finish(run, RunStatus::kComplete, 1, std::nullopt);
  return read_scored_run(store, run, "");
}

std::optional<Decision> decision_of(const Setting& setting, double right, const std::string& seed) {
  const Plan plan = plan_of(setting);
  Duel duel(baseline_of(setting, seed + "/a"), plan, 0.05);
  const Answers answers(seed + "/b", right);
  for (std::size_t i = 0; i < setting.samples; ++i)
    for (int repeat = 0; repeat < setting.repeats; ++repeat)
      duel.add(record_of(setting, i, repeat, answers.value(setting, i, repeat)));
  return duel.decision();
}

}  // namespace

TEST_CASE("a clear difference is decided early, in its direction") {
  for (const Setting& setting : {Setting{}, Setting{.cluster_size = 4}, Setting{.repeats = 2}}) {
    Setting low = setting;
    low.right = 0.2;
    const auto worse = decision_of(setting, 0.2, "worse"), better = decision_of(low, 1, "better");
    REQUIRE(worse);
    CHECK_FALSE(worse->is_better);
    CHECK(worse->difference < -0.3);
    CHECK(worse->samples < 250);
    CHECK(worse->p.has_value() != worse->interval.has_value());
    CHECK(worse->p.has_value() == (setting.cluster_size == 1 && setting.repeats == 1));
    REQUIRE(better);
    CHECK(better->is_better);
  }
}

TEST_CASE("runs that are equally good are seldom told apart, however often one looks") {
  constexpr int kRounds = 400;
  for (const std::size_t cluster_size : {std::size_t{1}, std::size_t{5}}) {
    int wrong = 0;
    for (int round = 0; round < kRounds; ++round)
      wrong += decision_of({200, 0.6, cluster_size, 1}, 0.6, std::to_string(round)).has_value();
    INFO(cluster_size);
    CHECK(wrong <= kRounds / 20 + 9);  // two standard errors
  }
}

TEST_CASE("the order in which answers come changes nothing") {
  const Setting setting{.samples = 120, .cluster_size = 3};
  const Plan plan = plan_of(setting);
  const Answers answers("order/b", 0.1);
  Duel forward(baseline_of(setting, "order/a"), plan, 0.05),
      backward(baseline_of(setting, "order/a"), plan, 0.05);
  for (std::size_t i = 0; i < 120; ++i) forward.add(record_of(setting, i, 0, answers.value(setting, i, 0)));
  for (std::size_t i = 120; i-- > 0;) {
    CHECK_FALSE(backward.decision());
    backward.add(record_of(setting, i, 0, answers.value(setting, i, 0)));
  }
  REQUIRE(forward.decision());
  REQUIRE(backward.decision());
  CHECK(forward.decision()->samples == backward.decision()->samples);
  CHECK(forward.decision()->difference == backward.decision()->difference);
}

TEST_CASE("what failed or is not in the baseline does not count") {
  const Setting setting{.samples = 40, .right = 1};
  Plan plan = plan_of({.samples = 50});
  Duel duel(baseline_of(setting, "x"), plan, 0.05);
  for (std::size_t i = 0; i < 50; ++i) {
    Record record = record_of(setting, i, 0, 0);
    if (i % 2 == 0 && i < 20) {
      record.score = {};
      record.failure = Failure{"timeout", "", 1};
    }
    duel.add(record);
  }
  REQUIRE(duel.decision());
  CHECK(duel.decision()->samples == 8);  // 2^8 / 9 > 20 > 2^7 / 8
}

TEST_CASE("another task version, other data or content, or no fraction cannot be decided") {
  const Setting setting{.samples = 10};
  const auto code = [&](auto&& change) {
    Plan plan = plan_of(setting);
    ScoredRun baseline = baseline_of(setting, "y");
    change(plan, baseline);
    try {
      Duel(std::move(baseline), plan, 0.05);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kUsage;
  };
  CHECK(code([](Plan&, ScoredRun&) {}) == ErrorCode::kUsage);  // none
  CHECK(code([](Plan& plan, ScoredRun&) { plan.spec.task_version = 2; }) == ErrorCode::kUndecided);
  CHECK(code([](Plan& plan, ScoredRun&) { plan.spec.shots = 2; }) == ErrorCode::kUndecided);
  CHECK(code([](Plan& plan, ScoredRun&) { plan.spec.dataset.sha256 = "b"; }) == ErrorCode::kUndecided);
  CHECK(code([](Plan& plan, ScoredRun&) { plan.samples[3].input = "b"; }) == ErrorCode::kUndecided);
  CHECK(code([](Plan&, ScoredRun& run) { run.metric.unit = "nats"; }) == ErrorCode::kUnsupported);
  CHECK(code([](Plan& plan, ScoredRun&) { plan.spec.metrics = {{"acc_letter"}}; }) == ErrorCode::kUndecided);
  CHECK(code([](Plan& plan, ScoredRun&) { plan.spec.metrics.front().of = "letter"; }) ==
        ErrorCode::kUndecided);
}

TEST_CASE("many small wins do not decide against a mean that is worse") {
  const Setting setting{.samples = 60, .right = 0};
  const Plan plan = plan_of(setting);
  ScoredRun baseline = baseline_of(setting, "none");
  for (std::size_t i = 0; i < 4; ++i) baseline.samples[i].value = 1;
  Duel duel(std::move(baseline), plan, 0.05);
  // Four losses of a whole point, then 56 wins of a hundredth: the counts alone would say better.
  for (std::size_t i = 0; i < setting.samples; ++i) duel.add(record_of(setting, i, 0, i < 4 ? 0 : 0.01));
  CHECK_FALSE(duel.decision());
  CHECK(duel.standing().p == 1.0);
}

}  // namespace micius
