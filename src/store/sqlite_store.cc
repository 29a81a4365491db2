#include "store/sqlite_store.h"

#include <chrono>
#include <thread>

#include "base/error.h"
#include "store/migrations.h"
#include "store/sqlite_internal.h"

namespace micius {
namespace {

// Brings the schema up to date and changes to WAL. Neither waits by itself for another process that changes
// the journal at the same moment.
void make_ready(SqliteDatabase& database) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (true) {
    try {
      migrate(database, schema_migrations());
      return database.execute("PRAGMA journal_mode = WAL");
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIo || std::chrono::steady_clock::now() > deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

std::unique_ptr<Database> ready_database(const std::filesystem::path& path, OpenMode mode) {
  if (mode == OpenMode::kExisting && !std::filesystem::exists(path)) {
    fail(ErrorCode::kNotFound, "{}: no such database; `micius run` makes one, --db names another",
         path.string());
  }
  auto database = std::make_unique<SqliteDatabase>(path);
  make_ready(*database);
  database->execute(
      "PRAGMA synchronous = NORMAL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA wal_autocheckpoint = 8192;"  // pages of 4 KiB
      "PRAGMA cache_size = -16384");       // KiB
  return database;
}

}  // namespace

SqliteStore::SqliteStore(const std::filesystem::path& path, OpenMode mode, const Clock& clock)
    : SqlStore(ready_database(path, mode), clock) {}

}  // namespace micius
