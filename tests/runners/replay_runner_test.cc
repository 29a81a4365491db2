#include "runners/replay_runner.h"

#include <catch2/catch.hpp>

#include "runners/collecting_sink.h"
#include "runners/registry.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

const SystemClock kClock;

RunId store_two_turns(Store& store) {
  RunSpec spec;
  spec.task = "example";
  spec.sample_ids = {"a"};
  spec.repeats = 2;
  const RunId run = store.begin(spec, 1);
  Record record;
  record.sample.id = "a";
  for (record.repeat = 0; record.repeat < 2; ++record.repeat) {
    record.turns.clear();
    for (int turn = 0; turn < 2; ++turn) {
      record.turns.push_back({{"a", GenerateInput{}}, {}, ""});
      record.turns.back().completion.text = std::to_string(10 * record.repeat + turn);
      record.turns.back().completion.stop_reason = StopReason::kLength;
    }
    store.append(run, record);
  }
  return run;
}

}  // namespace

TEST_CASE("replay answers by sample, repeat and turn, and fails for what is not there") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  store_two_turns(store);
  const auto runner = make_runner("replay:1", {kClock, &store});
  CHECK(runner->info().name == "replay:1");
  std::vector<Request> requests(4);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = RequestId{i};
    requests[i].prompt.sample_id = "a";
    requests[i].repeat = i == 2 ? 1 : 0;
    requests[i].turn = i == 1 ? 1 : 0;
  }
  requests[3].prompt.sample_id = "b";
  CollectingSink sink;
  runner->submit(requests, sink);
  runner->drain();
  REQUIRE(sink.completions.size() == 4);
  CHECK(sink.completions[0].text == "0");
  CHECK(sink.completions[1].text == "1");
  CHECK(sink.completions[1].stop_reason == StopReason::kLength);
  CHECK(sink.completions[2].text == "10");
  CHECK(sink.completions[2].id == RequestId{2});
  REQUIRE(sink.completions[3].failure);
  CHECK(sink.completions[3].failure->code == "not_recorded");
  CHECK(sink.completions[3].stop_reason == StopReason::kFailed);
}

TEST_CASE("a replay of a run that is not there is refused") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  CHECK_THROWS_WITH(make_runner("replay:3", {kClock, &store}), Catch::Contains("no run 3; it has none yet"));
}

}  // namespace micius
