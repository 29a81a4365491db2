#include "pipeline/compare.h"

#include <cmath>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "memory_store.h"
#include "pipeline/duel.h"
#include "stats/mean.h"
#include "stats/paired.h"

namespace micius {
namespace {

struct Answer {
  std::string id;
  double value;
};

RunSpec spec_of(const std::string& task, const std::string& model, const std::vector<Answer>& answers) {
  RunSpec spec;
  spec.task = task;
  spec.model = {model, "engine", "", ""};
  spec.metrics = {{"acc"}, {"ppl", "perplexity", Direction::kLowerIsBetter, Reduction::kExpNegMean, "log"}};
  for (const Answer& answer : answers) spec.sample_ids.push_back(answer.id);
  return spec;
}

Record record_of(const Answer& answer) {
  Record record;
  record.sample.id = answer.id;
  record.sample.input = "question " + answer.id;
  record.sample.targets = {"yes"};
  record.score.verdict = answer.value == 1 ? Verdict::kCorrect : Verdict::kIncorrect;
  record.score.values = {{"acc", answer.value}, {"log", -1 - answer.value}};
  record.score.answer = answer.value == 1 ? "yes" : "no";
  return record;
}

RunId add_run(Store& store, const RunSpec& spec, const std::vector<Record>& records) {
  const RunId run = store.begin(spec, 1);
  for (const Record& record : records) store.append(run, record);
  store.finish(run, RunStatus::kComplete, 1, std::nullopt);
  return run;
}

RunId add_run(Store& store, const std::string& task, const std::string& model,
              const std::vector<Answer>& answers) {
  std::vector<Record> records;
  for (const Answer& answer : answers) records.push_back(record_of(answer));
  return add_run(store, spec_of(task, model, answers), records);
}

// `right` answers of n are right, from number `first` on.
std::vector<Answer> answers(std::size_t n, std::size_t first, std::size_t right) {
  std::vector<Answer> result;
  for (std::size_t i = 0; i < n; ++i)
    result.push_back({std::to_string(i), i >= first && i < first + right ? 1.0 : 0.0});
  return result;
}

ErrorCode refusal(const Store& store, const std::vector<RunId>& runs, const CompareOptions& options = {}) {
  try {
    compare(store, runs, options);
  } catch (const Error& error) {
    UNSCOPED_INFO(error.what());
    return error.code();
  }
  FAIL("no refusal");
  return ErrorCode::kIo;
}

}  // namespace

TEST_CASE("two metrics are not held against each other") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "big", answers(20, 0, 15));
  RunSpec spec = spec_of("quiz", "small", answers(20, 0, 10));
  spec.metrics = {{"acc_letter", "fraction", Direction::kHigherIsBetter, Reduction::kMean, "acc"}};
  std::vector<Record> records;
  for (const Answer& answer : answers(20, 0, 10)) records.push_back(record_of(answer));
  const RunId b = add_run(store, spec, records);
  const RunId c = add_run(store, "quiz", "mid", answers(20, 0, 12));
  CHECK(refusal(store, {a, b}) == ErrorCode::kUndecided);
  CompareOptions options;
  for (const Incomparable incomparable : {Incomparable::kForce, Incomparable::kNote}) {
    options.incomparable = incomparable;
    const ComparisonSet set = compare(store, {a, b, c}, options);
    REQUIRE(set.comparisons.size() == 2);
    CHECK(set.comparisons[0].forced == std::vector<std::string>{"metric acc against acc_letter"});
    CHECK(set.comparisons[1].forced.empty());
    CHECK(set.leagues.empty());
  }
}

TEST_CASE("right and wrong answers are compared by Tango's interval and McNemar's tests") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "big", answers(60, 0, 40));     // 0 .. 39
  const RunId b = add_run(store, "quiz", "small", answers(60, 20, 25));  // 20 .. 44
  const ComparisonSet set = compare(store, {a, b}, {});
  REQUIRE(set.comparisons.size() == 1);
  const Comparison& c = set.comparisons.front();
  CHECK(c.samples == 60);
  REQUIRE(c.counts);
  CHECK(c.counts->both_right == 20);
  CHECK(c.counts->only_a == 20);
  CHECK(c.counts->only_b == 5);
  CHECK(c.counts->both_wrong == 15);
  CHECK(c.difference.value == Approx(0.25));
  const auto expected = paired_difference({20, 20, 5, 15});
  CHECK(*c.difference.low == expected->tango.low);
  CHECK(*c.difference.high == expected->tango.high);
  REQUIRE(c.tests.size() == 2);
  CHECK(c.tests[0].name == "mcnemar_mid_p");
  CHECK(c.tests[0].p == Approx(binomial_test(20, 5).mid_p));
  CHECK(c.tests[0].p_adjusted == c.tests[0].p);
  CHECK(c.tests[1].p == Approx(0.0040773153));
  CHECK(c.finding == Finding::kABetter);
  CHECK(c.a.estimate->value == Approx(40.0 / 60));
  REQUIRE(c.flips.size() == 25);
  CHECK(c.flips[0].sample_id == "0");
  CHECK(c.flips[0].a_answer == "yes");
  CHECK(c.flips[0].b_answer == "no");
  CHECK(c.wins.win == 20);
  CHECK(c.wins.tie == 35);
  CHECK(*c.detectable > 0.1);
}

TEST_CASE("samples that one side lacks are left out and counted") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "big", answers(10, 0, 5));
  std::vector<Record> records;
  for (const Answer& answer : answers(8, 0, 5)) records.push_back(record_of(answer));
  records[0].score = {};  // could not be judged
  records[1].failure = Failure{"timeout", "late", 3};
  records[1].score = {};
  records[7].sample.id = "other";
  const RunId b = add_run(store, spec_of("quiz", "small", answers(8, 0, 5)), records);
  const Comparison c = compare(store, {a, b}, {}).comparisons.front();
  CHECK(c.samples == 5);
  CHECK(c.a.only_here == 5);
  CHECK(c.b.only_here == 1);
  CHECK(c.b.not_scored == 2);
  CHECK(c.forced.empty());
}

TEST_CASE("repeats are averaged first, and graded values have t and sign flips") {
  MemoryStore store;
  std::vector<Record> records;
  for (const Answer& answer : answers(12, 0, 9)) {
    records.push_back(record_of(answer));
    records.push_back(record_of({answer.id, 0}));
    records.back().repeat = 1;
  }
  RunSpec spec = spec_of("quiz", "big", answers(12, 0, 9));
  spec.repeats = 2;
  const RunId a = add_run(store, spec, records);
  const RunId b = add_run(store, "quiz", "small", answers(12, 9, 3));
  CompareOptions options;
  options.bootstrap = 500;
  const Comparison c = compare(store, {a, b}, options).comparisons.front();
  CHECK(c.samples == 12);
  CHECK_FALSE(c.counts);
  CHECK(c.a.estimate->value == Approx(0.375));
  std::vector<double> d(9, 0.5);
  d.insert(d.end(), 3, -1);
  const MeanInterval mean = mean_interval(d);
  CHECK(c.interval == "t");
  CHECK(c.difference.value == Approx(*mean.value));
  CHECK(*c.difference.high == Approx(mean.t->high));
  CHECK(c.tests[0].name == "sign_flips");
  CHECK(c.tests[1].name == "wilcoxon");
  CHECK(c.finding == Finding::kNoDifference);
  REQUIRE(c.bootstrap);
  CHECK(*c.bootstrap->low < *c.bootstrap->high);
  CHECK(c.flips[0].a_answer == "yes");  // of the first repeat
  REQUIRE(c.notes.size() == 1);
  CHECK(c.notes[0] == "besides the model the runs differ in repeats 2 / 1");
}

TEST_CASE("what two runs of one model differ in is named with both values") {
  MemoryStore store;
  RunSpec spec = spec_of("quiz", "m", answers(12, 0, 9));
  std::vector<Record> records;
  for (const Answer& answer : answers(12, 0, 9)) records.push_back(record_of(answer));
  const RunId a = add_run(store, spec, records);
  spec.options.temperature = 1.5;
  spec.options.stop = {"\n"};
  spec.model_options = {{"numerics", "fast"}};
  const RunId b = add_run(store, spec, records);
  spec.model.name = "n";
  const RunId c = add_run(store, spec, records);
  const auto notes = [&](RunId other) { return compare(store, {a, other}, {}).comparisons.front().notes; };
  REQUIRE(notes(b).size() == 1);
  const std::string differing =
      "the runs differ in temperature 0.0 / 1.5, stop [] / [\"\\n\"], numerics none / fast";
  CHECK(notes(b)[0] == differing);
  CHECK(notes(c)[0] == "besides the model " + differing);
}

TEST_CASE("a run that was stopped once decided is said to be so") {
  MemoryStore store;
  const RunId whole = add_run(store, "arc", "m", answers(20, 0, 10));
  RunSpec spec = spec_of("arc", "n", answers(20, 0, 20));
  spec.notes = {std::string(kDecidedNote) + ": better than baseline b"};
  const RunId early = store.begin(spec, 1);
  for (const Answer& answer : answers(12, 0, 12)) store.append(early, record_of(answer));
  const auto notes = [&] { return compare(store, {whole, early}, {}).comparisons.front().notes; };
  store.finish(early, RunStatus::kStopped, 1, std::nullopt);
  REQUIRE(notes().size() == 1);
  CHECK(notes()[0].find("was stopped once decided") != std::string::npos);
  store.finish(early, RunStatus::kComplete, 1, std::nullopt);
  CHECK(notes().empty());
}

TEST_CASE("a p that no draw reached is told from one that was counted") {
  MemoryStore store;
  const auto floor_of = [&](std::size_t samples) {
    RunSpec spec = spec_of("quiz", "big", answers(samples, 0, samples));
    spec.repeats = 2;  // graded, so signs are flipped
    std::vector<Record> records;
    for (const Answer& answer : answers(samples, 0, samples)) {
      for (const int repeat : {0, 1}) {
        records.push_back(record_of({answer.id, repeat == 0 ? 1.0 : 0.0}));
        records.back().repeat = repeat;
      }
    }
    const RunId a = add_run(store, spec, records),
                b = add_run(store, "quiz", "small", answers(samples, 0, 0));
    return compare(store, {a, b}, {}).comparisons.front().tests.front();
  };
  const PairedTest drawn = floor_of(60);
  CHECK(drawn.name == "sign_flips");
  CHECK(drawn.least_p == Approx(1e-4));
  CHECK(drawn.p == drawn.least_p);
  CHECK(floor_of(12).least_p == 0);  // all patterns of the signs are counted
}

TEST_CASE("clusters are flipped whole and widen the interval") {
  MemoryStore store;
  const auto add = [&](const std::string& model, std::size_t right) {
    std::vector<Record> records;
    for (const Answer& answer : answers(40, 0, right)) {
      records.push_back(record_of(answer));
      records.back().sample.extra["family"] = std::stoi(answer.id) / 4;
      records.back().sample.extra["language"] = "en";  // of all samples: no group
    }
    RunSpec spec = spec_of("quiz", model, answers(40, 0, right));
    spec.cluster = "family";
    spec.breakdowns = {"language", "family"};
    return add_run(store, spec, records);
  };
  CompareOptions options;
  options.groups = true;
  const Comparison c = compare(store, {add("big", 24), add("small", 12)}, options).comparisons.front();
  CHECK(c.interval == "clusters");
  CHECK(c.difference.clusters == 10u);
  REQUIRE(c.counts);
  REQUIRE(c.tests.size() == 1);
  CHECK(c.tests[0].p == Approx(0.25));  // three families of ten differ: 2 of 8 patterns
  REQUIRE(c.groups.size() == 10);
  CHECK(c.groups[2].key == "2");
  CHECK(c.groups[9].key == "9");
  CHECK(c.groups[3].difference->value == 1);
  for (const ComparedGroup& group : c.groups) {
    CHECK(group.p <= group.p_adjusted);
    CHECK((group.finding != Finding::kNoDifference) == (group.p_adjusted <= 0.05));
  }
  const Comparison same = compare(store, {RunId{1}, RunId{1}}, {}).comparisons.front();
  CHECK(same.interval == "tango_clusters");  // nothing changed: ten families, each once
  CHECK(*same.difference.high == Approx(paired_difference({10, 0, 0, 0})->tango.high));
}

TEST_CASE("Holm corrects over tasks, and sides are aligned by model") {
  MemoryStore store;
  const RunId a = add_run(store, "one", "big", answers(60, 0, 40));
  const RunId b = add_run(store, "one", "small", answers(60, 20, 25));
  const RunId c = add_run(store, "two", "small", answers(60, 0, 30));
  const RunId d = add_run(store, "two", "big", answers(60, 0, 30));
  const RunId alone = add_run(store, "three", "big", answers(60, 0, 30));
  const ComparisonSet set = compare(store, {a, b, c, d, alone}, {});
  REQUIRE(set.comparisons.size() == 2);
  CHECK(set.comparisons[0].tests[0].p_adjusted == Approx(2 * set.comparisons[0].tests[0].p));
  CHECK(set.comparisons[1].a.label == "big");
  CHECK(set.comparisons[1].a.run == d);
  CHECK(set.comparisons[1].tests[0].p_adjusted == 1);
  REQUIRE(set.notes.size() == 1);
  CHECK(set.notes[0].find("three") == 0);
}

TEST_CASE("lower is better where the metric says so, and a perplexity is compared by its logarithm") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "big", answers(60, 0, 40));
  const RunId b = add_run(store, "quiz", "small", answers(60, 20, 25));
  CompareOptions options;
  options.metric = "ppl";
  const Comparison c = compare(store, {a, b}, options).comparisons.front();
  CHECK(c.metric.unit == "nats");
  CHECK(c.difference.value == Approx(-0.25));
  CHECK(c.finding == Finding::kBBetter);
  options.metric = "pppl";
  CHECK(refusal(store, {a, b}, options) == ErrorCode::kUsage);
}

TEST_CASE("two runs of one model are told apart") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "big", answers(10, 0, 5));
  const RunId b = add_run(store, "quiz", "big", answers(10, 0, 5));
  const Comparison c = compare(store, {a, b}, {}).comparisons.front();
  CHECK(c.a.label == "big (run 1)");
  CHECK(c.b.label == "big (run 2)");
  CHECK(c.difference.value == 0);
  CHECK(c.tests[0].p == 1);
  CHECK(c.finding == Finding::kNoDifference);
  CHECK_FALSE(c.detectable);
  CHECK(c.flips.empty());
}

TEST_CASE("what is not comparable is refused, or said") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "big", answers(10, 0, 5));
  const auto add = [&](const auto& change) {
    RunSpec spec = spec_of("quiz", "small", answers(10, 0, 5));
    std::vector<Record> records;
    for (const Answer& answer : answers(10, 0, 5)) records.push_back(record_of(answer));
    change(spec, records);
    return add_run(store, spec, records);
  };
  const std::vector<RunId> others = {
      add([](RunSpec& spec, auto&) { spec.task_version = 2; }),
      add([](RunSpec& spec, auto&) { spec.shots = 5; }),
      add([](RunSpec&, std::vector<Record>& records) { records[3].sample.targets = {"perhaps"}; })};
  for (const RunId other : others) {
    CHECK(refusal(store, {a, other}) == ErrorCode::kUndecided);
    CompareOptions force;
    force.incomparable = Incomparable::kForce;
    CHECK(compare(store, {a, other}, force).comparisons.front().forced.size() == 1);
  }
  const RunId apart = add_run(store, "quiz", "small", {{"x", 1}, {"y", 0}});
  CHECK(refusal(store, {a, apart}) == ErrorCode::kUndecided);
  const RunId task = add_run(store, "other quiz", "small", answers(10, 0, 5));
  CHECK(refusal(store, {a, task}) == ErrorCode::kUsage);
  CHECK(refusal(store, {a}) == ErrorCode::kUsage);
}

TEST_CASE("three models are ranked, unless one is never beaten") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "a", answers(90, 0, 50));
  const RunId b = add_run(store, "quiz", "b", answers(90, 30, 40));
  const RunId c = add_run(store, "quiz", "c", answers(90, 60, 30));
  const RunId all = add_run(store, "quiz", "all", answers(90, 0, 90));
  const ComparisonSet set = compare(store, {b, a, c}, {});
  CHECK(set.comparisons.size() == 2);
  REQUIRE(set.leagues.size() == 1);
  const League& league = set.leagues.front();
  CHECK(league.labels == std::vector<std::string>{"b", "a", "c"});
  CHECK(league.table[1][0].win == 30);
  CHECK(league.table[1][0].tie == 40);
  CHECK(league.table[1][0].loss == 20);
  REQUIRE(league.ranking.size() == 3);
  CHECK(league.ranking[0].side == 1);
  CHECK(league.ranking[2].side == 2);
  CHECK(league.ranking[0].elo_low < league.ranking[0].elo);
  CHECK(compare(store, {a, c, all}, {}).leagues.front().ranking.empty());
}

TEST_CASE("a page gets what can be compared, and a note of what cannot") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "a", answers(10, 0, 5));
  const RunId alone = add_run(store, "alone", "a", answers(10, 0, 5));
  RunSpec other_shots = spec_of("quiz", "b", answers(10, 2, 5));
  other_shots.shots = 5;
  std::vector<Record> records;
  for (const Answer& answer : answers(10, 2, 5)) records.push_back(record_of(answer));
  const RunId b = add_run(store, other_shots, records);
  const RunId apart = add_run(store, "quiz", "c", {{"x", 1}, {"y", 0}});
  CompareOptions options;
  options.incomparable = Incomparable::kNote;
  const ComparisonSet set = compare(store, {alone, a, b, apart}, options);
  REQUIRE(set.comparisons.size() == 1);
  CHECK(set.comparisons[0].a.place == 1);
  CHECK(set.comparisons[0].b.place == 2);
  CHECK(set.comparisons[0].forced.size() == 1);
  REQUIRE(set.notes.size() == 1);
  CHECK(set.notes[0].find("no scored sample in common") != std::string::npos);
  CHECK(set.leagues.empty());
  CHECK(compare(store, {alone, a}, options).comparisons.empty());
  RunSpec of_groups = spec_of("quiz", "d", answers(10, 2, 5));
  of_groups.metrics[0].reduction = Reduction::kWorst;
  CHECK(compare(store, {a, add_run(store, of_groups, records)}, options).comparisons.empty());
}

TEST_CASE("wins over a sample without an answer are counted") {
  MemoryStore store;
  const RunId a = add_run(store, "quiz", "a", answers(4, 0, 3));
  std::vector<Record> records;
  for (const Answer& answer : answers(4, 2, 2)) records.push_back(record_of(answer));
  records[0].score.verdict = Verdict::kNoAnswer;
  const Comparison c =
      compare(store, {a, add_run(store, spec_of("quiz", "b", answers(4, 2, 2)), records)}, {}).comparisons[0];
  CHECK(c.wins.win == 2);
  CHECK(c.a_won_unanswered == 1);
  CHECK(c.wins.loss == 1);
  CHECK(c.b_won_unanswered == 0);
}

}  // namespace micius
