#include "pipeline/best.h"

#include <catch2/catch.hpp>

#include "memory_store.h"
#include "pipeline/summarize.h"

namespace micius {
namespace {

// A complete run of 200 samples of which the first `right` are right.
RunId add_run(Store& store, const std::string& task, const std::string& model, std::size_t right) {
  RunSpec spec;
  spec.task = task;
  spec.model = {model, "engine", "", ""};
  spec.metrics = {{"acc"}};
  for (std::size_t i = 0; i < 200; ++i) spec.sample_ids.push_back(std::to_string(i));
  const RunId run = store.begin(spec, 1);
  for (std::size_t i = 0; i < 200; ++i) {
    Record record;
    record.sample.id = spec.sample_ids[i];
    record.score.verdict = i < right ? Verdict::kCorrect : Verdict::kIncorrect;
    record.score.values = {{"acc", i < right ? 1.0 : 0.0}};
    store.append(run, record);
  }
  store.finish(run, RunStatus::kComplete, 1, std::nullopt);
  return run;
}

}  // namespace

TEST_CASE("the best run of a task is held against each other one, at their own places") {
  MemoryStore store;
  const std::vector<RunId> runs = {add_run(store, "x", "low", 50), add_run(store, "y", "low", 10),
                                   add_run(store, "x", "high", 90), add_run(store, "x", "near", 89),
                                   add_run(store, "z", "low", 1)};
  std::vector<Report> reports;
  for (const RunId run : runs) reports.push_back(summarize(store, run, {}));
  const ComparisonSet set = against_best(store, runs, reports);
  REQUIRE(set.comparisons.size() == 2);  // y and z have one run each
  for (const Comparison& c : set.comparisons) {
    CHECK(c.task == "x");
    CHECK(c.a.place == 2);
    CHECK(c.a.run == runs[2]);
    CHECK(c.finding == (c.b.place == 0 ? Finding::kABetter : Finding::kNoDifference));
  }
  CHECK(set.comparisons[0].b.place == 3);
  CHECK(set.comparisons[1].b.place == 0);
}

TEST_CASE("runs without a score are not held against the best") {
  MemoryStore store;
  const std::vector<RunId> runs = {add_run(store, "x", "a", 50), add_run(store, "x", "b", 10)};
  std::vector<Report> reports;
  for (const RunId run : runs) reports.push_back(summarize(store, run, {}));
  reports[1].metrics[0].estimate.reset();
  CHECK(against_best(store, runs, reports).comparisons.empty());
}

}  // namespace micius
