// What PostgreSQL does besides: servers that restart, connections that break, rights, versions.
#include <atomic>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupted.h"
#include "base/rng.h"
#include "base/text.h"
#include "postgres_server.h"
#include "source_tree.h"
#include "store/example_records.h"
#include "store/stores.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

const SystemClock kClock;

// Appends records while `trouble(round)` is made again and again, and checks that each is there once, that
// each was counted once, and that they are whole.
void check_through(const PostgresPlace& place, std::size_t records, const std::function<void(int)>& trouble) {
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  const auto store = place.open();
  const RunId run = store->begin(example_spec(records), 1);
  std::thread writer([&] {
    for (std::size_t i = 0; i < records; ++i) {
      store->append(run, random_record(i, 0, "trouble"), 1);
      if (store->run(run).wall_ns != static_cast<std::int64_t>(i + 1)) ++wrong;
    }
    done = true;
  });
  for (int round = 0; !done; ++round) trouble(round);
  writer.join();
  CHECK(wrong == 0);
  CHECK(store->run(run).wall_ns == static_cast<std::int64_t>(records));
  std::size_t next = 0;
  store->for_each(run, [&](const Record& record) {
    CHECK(all_of(record) == all_of(random_record(next++, 0, "trouble")));
  });
  CHECK(next == records);
  const auto values = place.count("SELECT count(*) FROM record_values");
  CHECK(place.count("SELECT count(*) FROM v_values") == values);
}

std::string problem(const std::string& database, OpenMode mode = OpenMode::kExisting) {
  try {
    open_store(database, mode, kClock);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a database is shown without its password") {
  const std::filesystem::path cases = source_tree() / "tests/store/database_url.jsonl";
  std::size_t seen = 0;
  for_each_line(read_file(cases), [&](std::string_view line, std::size_t number) {
    const Json json = parse_json(line, fmt::format("{}:{}", cases.string(), number));
    const auto url = json.at("url").get<std::string>();
    INFO(url);
    ++seen;
    if (json.contains("label")) {
      CHECK(database_label(url) == json.at("label").get<std::string>());
      return;
    }
    CHECK_THROWS_WITH(database_label(url), Catch::Contains(json.at("error").get<std::string>()) &&
                                               !Catch::Contains("sec") && !Catch::Contains("ret"));
  });
  CHECK(seen == 19);
}

TEST_CASE("PostgreSQL: what cannot be opened says why, what to do, and no password") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const std::string database = server->new_database();
  SECTION("nothing there") {
    CHECK(find_store(server->url(database), kClock) == nullptr);
    CHECK_THAT(problem(server->url(database)), Catch::Contains("no runs here; `micius run` makes the first"));
    CHECK(server->query(database, "SELECT count(*) FROM pg_class WHERE relname = 'runs'") == "0");
  }
  SECTION("no such database, user or server") {
    const std::string wrong = problem(server->url("nowhere", "postgres:hush"));
    CHECK_THAT(wrong,
               Catch::Contains("database \"nowhere\" does not exist") && Catch::Contains("PGPASSWORD"));
    CHECK_THAT(problem(server->url(database, "nobody_here:hush")), Catch::Contains("nobody_here"));
    CHECK_THAT(problem("postgresql://u:hush@/runs?host=/tmp/no-such-folder"),
               Catch::Contains("is the server there"));
    CHECK_THAT(problem("postgresql://u:hush@/runs?host=/tmp&no_such_option=1"),
               Catch::Contains("is the server"));
    for (const std::string& text :
         {wrong, problem("postgresql://u:hush@127.0.0.1:1/runs"), problem("postgresql://u:hush@[::1]x/runs"),
          problem("postgresql://u:hush@[::1/runs")})
      CHECK_THAT(text, !Catch::Contains("hush"));
  }
  SECTION("rights") {
    server->query(database, "CREATE ROLE guest LOGIN");
    const std::string guest = server->url(database, "guest:hush");
    CHECK_THAT(problem(guest, OpenMode::kCreate), Catch::Contains("permission denied for schema public") &&
                                                      Catch::Contains("GRANT") && !Catch::Contains("hush"));
    const auto store = open_store(server->url(database), OpenMode::kCreate, kClock);
    const RunId run = store->begin(example_spec(1), 1);
    CHECK_THAT(problem(guest),
               Catch::Contains("permission denied") && Catch::Contains("SELECT on all of them"));
    server->query(database, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest");
    const auto reader = open_store(guest, OpenMode::kExisting, kClock);
    CHECK(reader->runs().size() == 1);
    CHECK_THROWS_WITH(reader->append(run, example_record(0)), Catch::Contains("permission denied"));
    server->query(database, "UPDATE micius_schema SET version = version - 1");
    CHECK_THAT(problem(guest), Catch::Contains("only the owner of the tables, postgres,"));
    server->query(database, "DROP OWNED BY guest; DROP ROLE guest");
  }
  SECTION("versions and other programs") {
    server->query(database, "CREATE TABLE runs (theirs TEXT)");
    CHECK_THAT(problem(server->url(database), OpenMode::kCreate), Catch::Contains("of another program"));
    server->query(database, "DROP TABLE runs");
    open_store(server->url(database), OpenMode::kCreate, kClock);
    server->query(database, "UPDATE micius_schema SET version = 99");
    CHECK_THAT(problem(server->url(database)), Catch::Contains("its database version is 99, this program"));
    server->query("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    CHECK_THAT(problem(server->url("latin")), Catch::Contains("UTF8 is needed"));
  }
}

TEST_CASE("PostgreSQL: a page of records is read by the index, not from all of the table") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const PostgresPlace place(*server);
  constexpr std::size_t kRecords = 600;
  // A session has told what it read once it has ended.
  const auto scans = [&](const std::string& kind) {
    while (place.count("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'micius'") > 0)
      std::this_thread::sleep_for(milliseconds(5));
    return place.count("SELECT sum(" + kind +
                       ") FROM pg_stat_user_tables WHERE relname IN ('turns', 'record_values')");
  };
  RunId run{};
  {
    const auto store = place.open();
    run = store->begin(example_spec(kRecords), 1);
    for (std::size_t i = 0; i < kRecords; ++i) store->append(run, example_record(i));
  }
  server->query(place.name(), "ANALYZE");
  const std::int64_t whole = scans("seq_scan"), by_index = scans("idx_scan");
  std::size_t records = 0;
  place.open()->for_each(run, [&](const Record&) { ++records; });
  CHECK(records == kRecords);
  CHECK(scans("seq_scan") == whole);
  CHECK(scans("idx_scan") > by_index);
}

TEST_CASE("PostgreSQL: connections that break at any moment lose and double nothing") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const PostgresPlace place(*server);
  Rng rng("break connections");
  check_through(place, 400, [&](int) {
    std::this_thread::sleep_for(milliseconds(rng.below(20)));
    server->query("postgres", fmt::format("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                          "WHERE datname = '{}'",
                                          place.name()));
  });
}

TEST_CASE("PostgreSQL: a server that stops or crashes is waited for") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const PostgresPlace place(*server);
  check_through(place, 600, [&](int round) {
    std::this_thread::sleep_for(milliseconds(100));
    if (round > 3) return;
    server->stop(round % 2 == 0 ? PostgresServer::End::kOrderly : PostgresServer::End::kCrash);
    std::this_thread::sleep_for(milliseconds(200));
    server->start();
  });
}

TEST_CASE("PostgreSQL: the wait for a server ends where it is asked to") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const PostgresPlace place(*server);
  std::stop_source stop;
  const auto store = open_store(place.database(), OpenMode::kCreate, kClock, nullptr, stop.get_token());
  const RunId run = store->begin(example_spec(2), 1);
  store->append(run, example_record(0));
  server->stop(PostgresServer::End::kOrderly);
  std::thread asker([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop.request_stop();
  });
  CHECK_THROWS_AS(store->append(run, example_record(1)), Interrupted);
  asker.join();
  server->start();
  CHECK(place.open()->done(run).size() == 1);
}

// The server has committed and waits for a standby that never comes; then the connection is broken, so the
// answer is lost.
TEST_CASE("PostgreSQL: a commit whose answer is lost is not done twice") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const PostgresPlace place(*server);
  const auto store = place.open();
  const RunId run = store->begin(example_spec(3), 1);
  store->append(run, example_record(0), 1);
  const auto wait_for_standby = [&](const std::string& standby) {
    server->query(place.name(), fmt::format("ALTER SYSTEM SET synchronous_standby_names = '{}'", standby));
    server->query(place.name(), "SELECT pg_reload_conf()");
    while (server->query(place.name(), "SHOW synchronous_standby_names") != standby) {
    }
    std::this_thread::sleep_for(milliseconds(200));  // until older sessions have heard of it
  };
  wait_for_standby("nobody");
  std::atomic<bool> done{false};
  std::thread writer([&] {
    store->append(run, example_record(1), 1);
    done = true;
  });
  bool was_waiting = false;
  while (!done && !was_waiting)
    was_waiting = server->query(place.name(),
                                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                "WHERE wait_event = 'SyncRep'") == "1";
  writer.join();
  CHECK(was_waiting);
  wait_for_standby("");
  store->append(run, example_record(2), 1);
  CHECK(store->run(run).wall_ns == 3);
  CHECK(store->done(run).size() == 3);
  // The schema, the run and three records.
  CHECK(place.count("SELECT commits FROM writers") == 5);
}

}  // namespace micius
