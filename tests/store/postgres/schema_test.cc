// Databases of earlier versions. Built where libpq is there.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "postgres_server.h"
#include "store/example_records.h"
#include "store/postgres/schema_internal.h"
#include "store/stores.h"

namespace micius {

TEST_CASE("PostgreSQL: a database of every earlier version is brought up to date by whoever opens it first") {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  const std::size_t current = schema_migrations().size();
  for (std::size_t version = 1; version < current; ++version) {
    INFO("version " << version);
    const PostgresPlace place(*server);
    {
      PostgresDatabase database(place.database(), ServerWait());
      REQUIRE(migrate(database, schema_migrations().first(version), OpenMode::kCreate));
    }
    server->query(
        place.name(),
        fmt::format("INSERT INTO runs (batch, spec, spec_sha256, task, task_version, suite, model, "
                    "model_kind, status, total, started_at) VALUES (1, '{}', 'x', 'example', 1, 'user', "
                    "'fake', 'fake', 'complete', 1, '2026-01-02T03:04:05Z')",
                    dump_json(to_json(example_spec(1)))));
    std::atomic<int> opened{0};
    std::vector<std::thread> openers;
    for (int i = 0; i < 4; ++i)
      openers.emplace_back([&] { opened += place.open(OpenMode::kExisting)->runs().size() == 1; });
    for (std::thread& opener : openers) opener.join();
    CHECK(opened == 4);
    CHECK(place.count("SELECT version FROM micius_schema") == static_cast<std::int64_t>(current));
    const auto store = place.open();
    store->append(RunId{1}, example_record(0));
    CHECK(store->done(RunId{1}).size() == 1);
  }
}

}  // namespace micius
