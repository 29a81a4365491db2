#include "store/stores.h"

#include <stdexcept>

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

}  // namespace micius
