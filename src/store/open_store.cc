#include "store/open_store.h"

#include <filesystem>
#include <utility>

#include "store/database_url_internal.h"
#include "store/postgres_store.h"
#include "store/sqlite_store.h"

namespace micius {

std::unique_ptr<SqlStore> open_store(const std::string& database, OpenMode mode, const Clock& clock, Log* log,
                                     std::stop_token stop) {
  if (is_database_url(database)) return open_postgres(database, mode, clock, {log, std::move(stop)});
  return std::make_unique<SqliteStore>(database, mode, clock);
}

std::unique_ptr<SqlStore> find_store(const std::string& database, const Clock& clock) {
  if (is_database_url(database)) return find_postgres(database, clock);
  if (!std::filesystem::exists(database)) return nullptr;
  return std::make_unique<SqliteStore>(database, OpenMode::kExisting, clock);
}

std::string database_label(const std::string& database) {
  return is_database_url(database) ? url_label(database) : database;
}

bool is_database_file(const std::string& database, const std::string& path) {
  std::error_code none;
  return !is_database_url(database) && std::filesystem::equivalent(path, database, none);
}

}  // namespace micius
