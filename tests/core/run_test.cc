#include "core/run.h"

#include <catch2/catch.hpp>

#include "core/names.h"

namespace micius {
namespace {

RunSpec example() {
  RunSpec spec;
  spec.task = "arc_easy";
  spec.dataset = {"general/arc_easy/test.jsonl", "ab", 2376};
  spec.sample_ids = {"0", "1"};
  spec.model = {"smollm2-135m", "engine", "cd", ""};
  spec.metrics = {{"acc"},
                  {"perplexity", "nats", Direction::kLowerIsBetter, Reduction::kExpNegMean},
                  {"pass@4", "fraction", Direction::kHigherIsBetter, Reduction::kPassAtK, "pass@1", 4}};
  spec.options.stop = {"\n"};
  spec.turn_max_tokens = {256, 128};
  return spec;
}

}  // namespace

TEST_CASE("a run's spec goes to JSON and back") {
  const RunSpec spec = example();
  const RunSpec back = run_spec_from_json(to_json(spec), "test");
  CHECK(dump_json(to_json(back)) == dump_json(to_json(spec)));
  CHECK(spec_sha256(back) == spec_sha256(spec));
}

TEST_CASE("the spec's hash sees what may change an answer and nothing else") {
  const RunSpec spec = example();
  RunSpec other = spec;
  other.tags["nightly"] = "yes";
  other.environment["threads"] = 2;
  CHECK(spec_sha256(other) == spec_sha256(spec));
  other.options.temperature = 0.7;
  CHECK(spec_sha256(other) != spec_sha256(spec));
}

TEST_CASE("every enumerator has its word and comes back from it") {
  for (int i = 0; i < 6; ++i)
    CHECK(stop_reason_from(name_of(static_cast<StopReason>(i))) == static_cast<StopReason>(i));
  for (int i = 0; i < 5; ++i)
    CHECK(verdict_from(name_of(static_cast<Verdict>(i))) == static_cast<Verdict>(i));
  for (int i = 0; i < 3; ++i)
    CHECK(run_status_from(name_of(static_cast<RunStatus>(i))) == static_cast<RunStatus>(i));
}

TEST_CASE("an unknown word is named with its place and the nearest one") {
  CHECK_THROWS_WITH(verdict_from("corect", "runs.db: run 3"),
                    "runs.db: run 3: unknown verdict 'corect' (did you mean 'correct'?)");
}

}  // namespace micius
