// What every kind of store does.
#include <algorithm>
#include <array>
#include <chrono>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "core/price.h"
#include "postgres_server.h"
#include "processes.h"
#include "store/example_records.h"
#include "store/run_file.h"
#include "store/stores.h"

namespace micius {
namespace {

std::vector<Record> all_records(const Store& store, RunId run) {
  std::vector<Record> records;
  store.for_each(run, [&](const Record& record) { records.push_back(record); });
  return records;
}

void check_come_back(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
  const RunId run = store.begin(example_spec(100, 2), 1);
  for (std::size_t i = 200; i > 0; --i)
    store.append(run, random_record((i - 1) / 2, static_cast<int>((i - 1) % 2), "round trip"));
  const std::vector<Record> records = all_records(store, run);
  REQUIRE(records.size() == 200);
  for (std::size_t i = 0; i < records.size(); ++i)
    CHECK(all_of(records[i]) == all_of(random_record(i / 2, static_cast<int>(i % 2), "round trip")));
}

void check_keep_runs(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
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

void check_failed_records(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
  const RunId run = store.begin(example_spec(2), 1);
  store.append(run, failed_record(0));
  CHECK(store.done(run).empty());
  store.append(run, failed_record(0));
  store.append(run, example_record(0));
  CHECK(store.done(run) == DoneSet{{"s0", 0}});
  CHECK_THROWS_WITH(store.append(run, example_record(0)), Catch::Contains("has a record of sample 's0'"));
  CHECK_THROWS_WITH(store.append(run, example_record(7)), Catch::Contains("'s7' is not one of run 1"));
  CHECK(all_of(all_records(store, run).at(0)) == all_of(example_record(0)));
  CHECK(place.count("SELECT count(*) FROM turns") == 2);
  CHECK(place.count("SELECT count(*) FROM record_values") == 2);
}

void check_samples_once(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
  for (int i = 0; i < 10; ++i) {
    const RunId run = store.begin(example_spec(3), i);
    for (std::size_t sample = 0; sample < 3; ++sample) store.append(run, example_record(sample));
  }
  CHECK(place.count("SELECT count(*) FROM records") == 30);
  CHECK(place.count("SELECT count(*) FROM samples") == 3);
}

void check_read_and_append(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
  const RunId from = store.begin(example_spec(150), 1);
  const RunId to = store.begin(example_spec(150), 1);
  for (std::size_t i = 0; i < 150; ++i) store.append(from, random_record(i, 0, "copy"));
  store.for_each(from, [&](const Record& record) { store.append(to, record); });
  CHECK(all_records(store, to).size() == 150);
}

void check_costs(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
  RunSpec spec = example_spec(3);
  const RunId local = store.begin(spec, 1);
  spec.environment["price"] = to_json(Price{"2026-01-01", 1'000'000, 500'000, 2'000'000});
  const RunId paid = store.begin(spec, 1);
  CHECK(store.overview().at(1).at("cost_usd").is_null());  // nothing was asked yet
  store.append(local, example_record(0));
  store.append(paid, example_record(0));
  Record cached = example_record(1);
  for (Turn& turn : cached.turns) turn.completion.from_cache = true;
  store.append(paid, cached);
  CHECK(store.overview().at(0).at("cost_usd").is_null());
  CHECK(store.overview().at(1).at("cost_usd").get<double>() == Approx(1e-6 * (2 * 1200 + 2 * 50 * 2)));
  CHECK(store.overview().at(1).at("from_cache") == 2);
  CHECK(
      place.count("SELECT count(*) FROM v_records WHERE run_id = 2 AND sample_id = 's1' AND cost_usd = 0 AND "
                  "from_cache = 2 AND latency_ns IS NULL") == 1);
  CHECK(place.count("SELECT count(*) FROM v_turns WHERE from_cache = 1 AND latency_ns IS NULL") == 2);
  Record uncounted = example_record(2);
  uncounted.turns[1].completion.prompt_tokens = 0;
  store.append(paid, uncounted);
  CHECK(store.overview().at(1).at("cost_usd").is_null());
}

void check_views(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
  const RunId run = store.begin(example_spec(3), 1);
  store.append(run, example_record(0));
  store.append(run, failed_record(1));
  store.finish(run, RunStatus::kComplete, 42, Estimate{0.5, 0.25, 0.75, 0.1, 2, {}, {}});
  CHECK(place.count(
            "SELECT count(*) FROM (SELECT run_id, task, task_version, model, model_kind, status, total, "
            "scored, "
            "failed, primary_metric, primary_value, primary_low, primary_high, prompt_tokens, "
            "completion_tokens, cost_usd, wall_ns, started_at, finished_at FROM v_runs) AS v WHERE task = "
            "'example' "
            "AND total = 3 AND scored = 1 AND failed = 1 AND primary_metric = 'acc' AND primary_value = 0.5 "
            "AND "
            "primary_low = 0.25 AND primary_high = 0.75 AND prompt_tokens = 2400 AND completion_tokens = 100 "
            "AND cost_usd IS NULL AND wall_ns = 42 AND status = 'complete'") == 1);
  CHECK(
      place.count(
          "SELECT count(*) FROM (SELECT run_id, sample_id, repeat, verdict, primary_value, answer, reason, "
          "prompt_tokens, completion_tokens, stop_reason, ttft_ns, latency_ns FROM v_records) AS v WHERE "
          "(sample_id = 's0' AND verdict = 'correct' AND primary_value = 1 AND answer = 'yes' AND "
          "prompt_tokens "
          "= 2400) OR (sample_id = 's1' AND verdict IS NULL AND answer IS NULL AND primary_value IS NULL)") ==
      2);
  CHECK(place.count(
            "SELECT count(*) FROM (SELECT run_id, sample_id, repeat, turn, prompt, completion, likelihoods, "
            "observation FROM v_turns) AS v WHERE sample_id = 's0' AND prompt LIKE "
            "'%\"role\":\"system\"%' AND likelihoods IS NULL AND completion <> ''") == 2);
  CHECK(place.count(
            "SELECT count(*) FROM (SELECT run_id, sample_id, repeat, metric, value FROM v_values) AS v WHERE "
            "(metric = 'acc' AND value = 1) OR (metric = 'length' AND value = 200)") == 2);
  const Json overview = store.overview();
  REQUIRE(overview.size() == 1);
  CHECK(overview[0]["primary_value"] == 0.5);
  CHECK(overview[0]["scored"] == 1);
  CHECK(overview[0]["cost_usd"].is_null());
}

void check_baselines(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
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

void check_scores_only(const Place& place) {
  const auto opened = place.open();
  SqlStore& store = *opened;
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

void check_set_notes(const Place& place) {
  const auto store = place.open();
  const RunId run = store->begin(example_spec(1), 1);
  store->set_notes(run, {"one", std::string("a\0b\x01", 4)});
  CHECK(store->run(run).spec.notes == std::vector<std::string>{"one", std::string("a\0b\x01", 4)});
  store->set_batch(run, 7);
  CHECK(place.open(OpenMode::kExisting)->run(run).batch == 7);
}

// A run's lines are those of the other store's, and none is taken twice.
void check_take_runs(const Place& place) {
  const SqlitePlace other;
  const auto from = other.open(), to = place.open();
  const RunId run = from->begin(example_spec(150), 3);
  for (std::size_t i = 0; i < 150; ++i) from->append(run, random_record(i, 0, "exchange"));
  from->finish(run, RunStatus::kComplete, 12, std::nullopt);
  const auto take = [](SqlStore& store, const Store& source, RunId id) {
    return store
        .take_runs([&](RunSink& sink) { read_run(source, id, sink); },
                   [](RunId) {
                     return std::optional(Estimate{0.5, 0.25, 0.75, 0.1, 2, {}, {}});
                   })
        .at(0);
  };
  const ImportedRun taken = take(*to, *from, run);
  CHECK(taken.is_new);
  CHECK(run_sha256(*to, taken.id) == run_sha256(*from, run));
  CHECK(to->overview().at(0).at("primary_value") == 0.5);
  const ImportedRun again = take(*to, *from, run);
  CHECK_FALSE(again.is_new);
  CHECK(again.id == taken.id);
  CHECK_FALSE(take(*from, *to, taken.id).is_new);
  const std::size_t runs = to->runs().size();
  CHECK_THROWS_WITH(to->take_runs(
                        [&](RunSink& sink) {
                          sink.begin(from->run(run));
                          sink.add(random_record(0, 0, "half of it"));
                          fail(ErrorCode::kInvalidData, "the rest is not there");
                        },
                        [](RunId) { return std::nullopt; }),
                    "the rest is not there");
  CHECK(to->runs().size() == runs);
}

void append_all(Store& store, RunId run, std::size_t records) {
  for (std::size_t i = 0; i < records; ++i) store.append(run, random_record(i, 0, "beside"), 1);
}

void check_processes_fill_one(const Place& place) {
  constexpr std::size_t kRecords = 40;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(in_child([&] {
      const auto store = place.open();
      append_all(*store, store->begin(example_spec(kRecords), 1), kRecords);
      return 0;
    }));
  }
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  const auto store = place.open(OpenMode::kExisting);
  REQUIRE(store->runs().size() == 3);
  for (const Run& run : store->runs()) CHECK(all_records(*store, run.id).size() == kRecords);
  CHECK(place.count("SELECT count(*) FROM samples") == kRecords);
}

void check_slower_process_is_told(const Place& place) {
  constexpr std::size_t kRecords = 300;
  const RunId run = place.open()->begin(example_spec(kRecords), 1);
  const auto work = [&] {
    append_all(*place.open(OpenMode::kExisting), run, kRecords);
    return 0;
  };
  const pid_t first = in_child(work), second = in_child(work);
  const int a = wait_for(first), b = wait_for(second);
  CHECK(std::min(a, b) == 0);
  CHECK(std::max(a, b) == 99);
  CHECK(all_records(*place.open(), run).size() == kRecords);
}

constexpr std::array<PlaceCase, 13> kCases = {{
    {"records come back byte for byte, in dataset order, then by repeat", check_come_back},
    {"runs keep their spec, status and time", check_keep_runs},
    {"a failed record makes room for a new one, a good one does not", check_failed_records},
    {"ten runs hold their samples once", check_samples_once},
    {"a store may be appended to while it is read", check_read_and_append},
    {"the views have the columns of the contract and what they mean", check_views},
    {"the views say what a run cost and which answers are from the cache", check_costs},
    {"a baseline is a name for runs", check_baselines},
    {"records without their turns are the same but for them", check_scores_only},
    {"notes and batch of a run can be changed", check_set_notes},
    {"runs of another store are taken once, whole or not at all", check_take_runs},
    {"several processes make and fill one database", check_processes_fill_one},
    {"two processes on one run: one record a sample, the slower one is told", check_slower_process_is_told},
}};

double records_a_second(const Place& place) {
  constexpr std::size_t kRecords = 20'000;
  const auto store = place.open();
  const RunId run = store->begin(example_spec(kRecords), 1);
  std::vector<Record> records;
  for (std::size_t i = 0; i < 1000; ++i) records.push_back(example_record(i));
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kRecords; ++i) {
    Record& record = records[i % records.size()];
    record.sample.id = fmt::format("s{}", i);
    store->append(run, record);
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  CHECK(store->done(run).size() == kRecords);
  return static_cast<double>(kRecords) / time.count();
}

}  // namespace

TEST_CASE("what every store does: SQLite") { check_on_sqlite(kCases); }

TEST_CASE("what every store does: PostgreSQL") { check_on_postgres(kCases); }

TEST_CASE("what cannot be opened says why and stays as it was") {
  const SystemClock clock;
  const TempDir dir;
  const std::filesystem::path path = dir.path() / "a.db";
  CHECK_THROWS_WITH(open_store(path, OpenMode::kExisting, clock), Catch::Contains("no such database"));
  CHECK(find_store(path, clock) == nullptr);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_THROWS_WITH(open_store(dir.path() / "no" / "a.db", OpenMode::kCreate, clock),
                    Catch::Contains("is its folder there"));
  write_file_atomic(path, std::string(5000, 'x'));
  CHECK_THROWS_WITH(open_store(path, OpenMode::kExisting, clock), Catch::Contains("not an SQLite database"));
  CHECK(read_file(path) == std::string(5000, 'x'));
}

TEST_CASE("appended records a second", "[.speed]") {
  WARN("SQLite: " << records_a_second(SqlitePlace()));
  if (PostgresServer* server = shared_postgres())
    WARN("PostgreSQL: " << records_a_second(PostgresPlace(*server)));
}

}  // namespace micius
