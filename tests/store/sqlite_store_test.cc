#include "store/sqlite_store.h"

#include <chrono>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "store/example_records.h"
#include "store/sqlite_internal.h"
#include "temp_dir.h"

namespace micius {
namespace {

const SystemClock kClock;

std::vector<Record> all_records(const Store& store, RunId run) {
  std::vector<Record> records;
  store.for_each(run, [&](const Record& record) { records.push_back(record); });
  return records;
}

std::int64_t count(const std::filesystem::path& path, const std::string& query) {
  Database database(path);
  Statement statement(database, query);
  REQUIRE(statement.step());
  return statement.integer(0);
}

}  // namespace

TEST_CASE("records come back byte for byte, in dataset order, then by repeat") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const RunId run = store.begin(example_spec(100, 2), 1);
  for (std::size_t i = 200; i > 0; --i)
    store.append(run, random_record((i - 1) / 2, static_cast<int>((i - 1) % 2), "round trip"));
  const std::vector<Record> records = all_records(store, run);
  REQUIRE(records.size() == 200);
  for (std::size_t i = 0; i < records.size(); ++i)
    CHECK(all_of(records[i]) == all_of(random_record(i / 2, static_cast<int>(i % 2), "round trip")));
}

TEST_CASE("runs keep their spec, status and time") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const RunId first = store.begin(example_spec(2), 1);
  const RunId second = store.begin(example_spec(3), 2);
  CHECK(first == RunId{1});
  CHECK(second == RunId{2});
  CHECK(store.run(first).status == RunStatus::kUnfinished);
  CHECK(store.run(first).finished.empty());
  store.finish(first, RunStatus::kStopped, 5, std::nullopt);
  store.finish(first, RunStatus::kComplete, 7, std::nullopt);
  const Run run = store.run(first);
  CHECK(run.status == RunStatus::kComplete);
  CHECK(run.wall_ns == 12);
  CHECK_FALSE(run.finished.empty());
  CHECK(dump_json(to_json(run.spec)) == dump_json(to_json(example_spec(2))));
  REQUIRE(store.runs().size() == 2);
  CHECK(store.runs()[1].batch == 2);
  CHECK_THROWS_WITH(store.run(RunId{9}), Catch::Contains("no run 9; it has 2 from 1 to 2"));
}

TEST_CASE("a failed record makes room for a new one, a good one does not") {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a.db";
  SqliteStore store(path, OpenMode::kCreate, kClock);
  const RunId run = store.begin(example_spec(2), 1);
  store.append(run, failed_record(0));
  CHECK(store.done(run).empty());
  store.append(run, failed_record(0));
  store.append(run, example_record(0));
  CHECK(store.done(run) == DoneSet{{"s0", 0}});
  CHECK_THROWS_WITH(store.append(run, example_record(0)), Catch::Contains("has a record of sample 's0'"));
  CHECK_THROWS_WITH(store.append(run, example_record(7)), Catch::Contains("'s7' is not one of run 1"));
  CHECK(all_of(all_records(store, run).at(0)) == all_of(example_record(0)));
  CHECK(count(path, "SELECT count(*) FROM turns") == 2);
  CHECK(count(path, "SELECT count(*) FROM record_values") == 2);
}

TEST_CASE("ten runs hold their samples once") {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a.db";
  SqliteStore store(path, OpenMode::kCreate, kClock);
  for (int i = 0; i < 10; ++i) {
    const RunId run = store.begin(example_spec(3), i);
    for (std::size_t sample = 0; sample < 3; ++sample) store.append(run, example_record(sample));
  }
  CHECK(count(path, "SELECT count(*) FROM records") == 30);
  CHECK(count(path, "SELECT count(*) FROM samples") == 3);
}

TEST_CASE("a store may be appended to while it is read") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const RunId from = store.begin(example_spec(150), 1);
  const RunId to = store.begin(example_spec(150), 1);
  for (std::size_t i = 0; i < 150; ++i) store.append(from, random_record(i, 0, "copy"));
  store.for_each(from, [&](const Record& record) { store.append(to, record); });
  CHECK(all_records(store, to).size() == 150);
}

TEST_CASE("the views have the columns of the contract and what they mean") {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a.db";
  SqliteStore store(path, OpenMode::kCreate, kClock);
  const RunId run = store.begin(example_spec(3), 1);
  store.append(run, example_record(0));
  store.append(run, failed_record(1));
  store.finish(run, RunStatus::kComplete, 42, Estimate{0.5, 0.25, 0.75, 0.1, 2, {}, {}});
  CHECK(
      count(
          path,
          "SELECT count(*) FROM (SELECT run_id, task, task_version, model, model_kind, status, total, "
          "scored, "
          "failed, primary_metric, primary_value, primary_low, primary_high, prompt_tokens, "
          "completion_tokens, cost_usd, wall_ns, started_at, finished_at FROM v_runs) WHERE task = 'example' "
          "AND total = 3 AND scored = 1 AND failed = 1 AND primary_metric = 'acc' AND primary_value = 0.5 "
          "AND "
          "primary_low = 0.25 AND primary_high = 0.75 AND prompt_tokens = 2400 AND completion_tokens = 100 "
          "AND cost_usd IS NULL AND wall_ns = 42 AND status = 'complete'") == 1);
  CHECK(
      count(
          path,
          "SELECT count(*) FROM (SELECT run_id, sample_id, repeat, verdict, primary_value, answer, reason, "
          "prompt_tokens, completion_tokens, stop_reason, ttft_ns, latency_ns FROM v_records) WHERE "
          "(sample_id = 's0' AND verdict = 'correct' AND primary_value = 1 AND answer = 'yes' AND "
          "prompt_tokens "
          "= 2400) OR (sample_id = 's1' AND verdict IS NULL AND answer IS NULL AND primary_value IS NULL)") ==
      2);
  CHECK(
      count(path,
            "SELECT count(*) FROM (SELECT run_id, sample_id, repeat, turn, prompt, completion, likelihoods, "
            "observation FROM v_turns) WHERE sample_id = 's0' AND json_extract(prompt, "
            "'$.messages[0].role') = 'system' AND likelihoods IS NULL AND completion <> ''") == 2);
  CHECK(count(path,
              "SELECT count(*) FROM (SELECT run_id, sample_id, repeat, metric, value FROM v_values) WHERE "
              "(metric = 'acc' AND value = 1) OR (metric = 'length' AND value = 200)") == 2);
  const Json overview = store.overview();
  REQUIRE(overview.size() == 1);
  CHECK(overview[0]["primary_value"] == 0.5);
  CHECK(overview[0]["scored"] == 1);
  CHECK(overview[0]["cost_usd"].is_null());
}

TEST_CASE("what cannot be opened says why and stays as it was") {
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a.db";
  CHECK_THROWS_WITH(SqliteStore(path, OpenMode::kExisting, kClock), Catch::Contains("no such database"));
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_THROWS_WITH(SqliteStore(dir.path() / "no" / "a.db", OpenMode::kCreate, kClock),
                    Catch::Contains("is its folder there"));
  write_file_atomic(path, std::string(5000, 'x'));
  CHECK_THROWS_WITH(SqliteStore(path, OpenMode::kExisting, kClock),
                    Catch::Contains("not an SQLite database"));
  CHECK(read_file(path) == std::string(5000, 'x'));
}

TEST_CASE("a baseline is a name for runs") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const RunId a = store.begin(example_spec(1), 1), b = store.begin(example_spec(1), 1);
  store.set_baseline("main", {b, a});
  store.set_baseline("other", {a});
  CHECK(store.baseline("main") == std::vector<RunId>{b, a});
  store.set_baseline("main", {a});
  CHECK(store.baseline("main") == std::vector<RunId>{a});
  CHECK(store.baselines() == std::vector<std::string>{"main", "other"});
  CHECK_THROWS_WITH(store.baseline("mian"), Catch::Contains("did you mean 'main'?"));
  store.remove_baseline("main");
  CHECK_THROWS_WITH(store.remove_baseline("main"), Catch::Contains("no baseline 'main'"));
}

TEST_CASE("records without their turns are the same but for them") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  const RunId run = store.begin(example_spec(3), 1);
  for (std::size_t i = 0; i < 3; ++i) store.append(run, example_record(i));
  std::vector<Record> whole;
  store.for_each(run, [&](const Record& record) { whole.push_back(record); });
  std::size_t i = 0;
  store.for_each_score(run, [&](const Record& record) {
    CHECK(record.turns.empty());
    CHECK(record.sample.id == whole[i].sample.id);
    CHECK(record.score == whole[i].score);
    CHECK(record.failure == whole[i++].failure);
  });
  CHECK(i == 3);
}

TEST_CASE("appended records a second", "[.speed]") {
  const TempDir dir;
  SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock);
  constexpr std::size_t kRecords = 20'000;
  const RunId run = store.begin(example_spec(kRecords), 1);
  std::vector<Record> records;
  for (std::size_t i = 0; i < 1000; ++i) records.push_back(example_record(i));
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kRecords; ++i) {
    Record& record = records[i % records.size()];
    record.sample.id = fmt::format("s{}", i);
    store.append(run, record);
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  WARN(static_cast<double>(kRecords) / time.count() << " records/s");
  CHECK(store.done(run).size() == kRecords);
}

}  // namespace micius
