#include "store/migrations.h"

#include <array>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "store/example_records.h"
#include "store/sqlite_internal.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

const SystemClock kClock;

constexpr std::array<const char*, 2> kTwoSteps = {"CREATE TABLE pets (name TEXT)",
                                                  "ALTER TABLE pets ADD COLUMN age INTEGER"};
constexpr std::array<const char*, 1> kOneStep = {kTwoSteps[0]};

std::int64_t count(const fs::path& path, const std::string& query) {
  SqliteDatabase database(path);
  Statement statement(database, query);
  REQUIRE(statement.step());
  return statement.integer(0);
}

void make_version_1(const fs::path& path) {
  SqliteDatabase database(path);
  migrate(database, kOneStep);
  database.execute("INSERT INTO pets VALUES ('cat')");
}

}  // namespace

TEST_CASE("an older database is migrated and a copy of it kept") {
  const TempDir dir;
  const fs::path path = dir.path() / "a.db";
  make_version_1(path);
  {
    SqliteDatabase database(path);
    migrate(database, kTwoSteps);
    migrate(database, kTwoSteps);
    CHECK(database.pragma("user_version") == 2);
  }
  CHECK(count(path, "SELECT count(*) FROM pets WHERE age IS NULL AND name = 'cat'") == 1);
  const fs::path copy = path.string() + ".v1.bak";
  CHECK(count(copy, "PRAGMA user_version") == 1);
  CHECK(count(copy, "SELECT count(*) FROM pets") == 1);
}

TEST_CASE("a new database needs no copy") {
  const TempDir dir;
  { const SqliteStore store(dir.path() / "a.db", OpenMode::kCreate, kClock); }
  CHECK(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a step that fails changes nothing") {
  const TempDir dir;
  const fs::path path = dir.path() / "a.db";
  make_version_1(path);
  constexpr std::array<const char*, 3> kBroken = {kTwoSteps[0], kTwoSteps[1], "CREATE TABLE pets (x)"};
  SqliteDatabase database(path);
  CHECK_THROWS_AS(migrate(database, kBroken), Error);
  CHECK(database.pragma("user_version") == 1);
  CHECK(count(path, "SELECT count(*) FROM pragma_table_info('pets')") == 1);
}

TEST_CASE("a database of every earlier version opens with its records whole") {
  for (std::size_t version = 1; version < schema_migrations().size(); ++version) {
    INFO("version " << version);
    const TempDir dir;
    const fs::path path = dir.path() / "a.db";
    {
      SqliteDatabase database(path);
      migrate(database, schema_migrations().first(version));
      database.execute(
          "INSERT INTO runs (batch, spec, spec_sha256, task, task_version, suite, model, model_kind, status, "
          "total, started_at) VALUES (1, '" +
          dump_json(to_json(example_spec(1, 1))) +
          "', 'x', 'example', 1, 'user', 'fake', 'fake', 'complete', 1, '2026-01-02T03:04:05Z');"
          "INSERT INTO samples (sha256, sample) VALUES ('x', '{\"id\": \"s0\", \"input\": \"q\", "
          "\"choices\": "
          "[], \"targets\": [\"yes\"], \"extra\": null}');"
          "INSERT INTO records (run_id, position, repeat, sample_id, sample_ref, verdict, answer, reason, "
          "prompt_tokens, cached_tokens, completion_tokens, stop_reason, latency_ns) VALUES (1, 0, 0, 's0', "
          "1, "
          "'correct', 'yes', '', 3, 2, 1, 'stop', 9);"
          "INSERT INTO turns (record_id, turn, prompt, completion, stop_reason, prompt_tokens, "
          "cached_tokens, "
          "completion_tokens, sent_ns, latency_ns) VALUES (1, 0, '{\"messages\": []}', 'yes', 'stop', 3, 2, "
          "1, 0, "
          "9)");
    }
    const SqliteStore store(path, OpenMode::kExisting, kClock);
    std::size_t records = 0;
    store.for_each(RunId{1}, [&](const Record& record) {
      ++records;
      CHECK(record.turns.at(0).completion.text == "yes");
      CHECK(record.turns.at(0).completion.attempts.empty());
      CHECK(record.turns.at(0).completion.cache_write_tokens == 0);
    });
    CHECK(records == 1);
    CHECK(count(path, "SELECT count(*) FROM v_attempts") == 0);
    CHECK(count(path, "SELECT count(*) FROM v_runs WHERE cost_usd IS NULL AND from_cache = 0") == 1);
    CHECK(count(path, "SELECT count(*) FROM v_records WHERE cost_usd IS NULL AND latency_ns = 9") == 1);
    CHECK(fs::exists(path.string() + ".v" + std::to_string(version) + ".bak"));
  }
}

TEST_CASE("a newer database and another program's are refused and left alone") {
  const TempDir dir;
  const fs::path path = dir.path() / "a.db";
  const std::string known = std::to_string(schema_migrations().size());
  {
    SqliteDatabase database(path);
    std::vector<const char*> steps(kTwoSteps.begin(), kTwoSteps.end());
    steps.resize(schema_migrations().size() + 1, "SELECT 1");
    migrate(database, steps);
  }
  const std::string before = read_file(path);
  CHECK_THROWS_WITH(SqliteStore(path, OpenMode::kCreate, kClock),
                    Catch::Contains("this program knows up to " + known));
  CHECK(read_file(path) == before);

  const fs::path other = dir.path() / "other.db";
  SqliteDatabase(other).execute("CREATE TABLE theirs (x)");
  CHECK_THROWS_WITH(SqliteStore(other, OpenMode::kCreate, kClock),
                    Catch::Contains("a database of another program"));
  CHECK(count(other, "SELECT count(*) FROM sqlite_master") == 1);
}

}  // namespace micius
