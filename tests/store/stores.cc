#include "store/stores.h"

#include <stdexcept>

#include <catch2/catch.hpp>

#include "postgres_server.h"
#include "store/sqlite_internal.h"

namespace micius {
namespace {

const SystemClock kClock;

}  // namespace

std::unique_ptr<SqlStore> Place::open(OpenMode mode) const { return open_store(database(), mode, kClock); }

std::int64_t SqlitePlace::count(const std::string& query) const {
  SqliteDatabase database(dir_.path() / "a.db");
  Statement statement(database, query);
  if (!statement.step()) throw std::runtime_error("no row: " + query);
  return statement.integer(0);
}

PostgresPlace::PostgresPlace(PostgresServer& server) : server_(&server), name_(server.new_database()) {}

std::string PostgresPlace::database() const { return server_->url(name_); }

std::int64_t PostgresPlace::count(const std::string& query) const {
  return std::stoll(server_->query(name_, query));
}

void check_on_sqlite(std::span<const PlaceCase> cases) {
  for (const PlaceCase& of : cases) {
    DYNAMIC_SECTION(of.name) { of.check(SqlitePlace()); }
  }
}

void check_on_postgres(std::span<const PlaceCase> cases) {
  PostgresServer* server = shared_postgres();
  if (server == nullptr) return;
  for (const PlaceCase& of : cases) {
    DYNAMIC_SECTION(of.name) { of.check(PostgresPlace(*server)); }
  }
}

}  // namespace micius
