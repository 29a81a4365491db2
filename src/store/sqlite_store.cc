#include "store/sqlite_store.h"

#include "base/error.h"
#include "store/migrations.h"
#include "store/sqlite_internal.h"

namespace micius {
namespace {

std::unique_ptr<Database> ready_database(const std::filesystem::path& path, OpenMode mode) {
  if (mode == OpenMode::kExisting && !std::filesystem::exists(path)) {
    fail(ErrorCode::kNotFound, "{}: no such database; `micius run` makes one, --db names another",
         path.string());
  }
  auto database = std::make_unique<SqliteDatabase>(path);
  insist([&] {
    migrate(*database, schema_migrations());
    database->execute("PRAGMA journal_mode = WAL");
  });
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
