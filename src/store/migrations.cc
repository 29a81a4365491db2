#include "store/migrations.h"

#include <filesystem>

#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::int64_t kApplicationId = 0x4d696369;  // "Mici"

// Which version the database has, once it is known to be ours.
std::int64_t checked_version(SqliteDatabase& database, std::int64_t known) {
  const std::int64_t version = database.version_of(kApplicationId, "name another file with --db");
  if (version > known) {
    fail(ErrorCode::kUnsupported,
         "{}: made by a newer micius (its database version is {}, this program knows up to {}); use that "
         "program, or name another file with --db",
         database.name(), version, known);
  }
  return version;
}

void keep_copy(SqliteDatabase& database, std::int64_t version) {
  const std::string copy = fmt::format("{}.v{}.bak", database.name(), version);
  const std::string partial = fmt::format("{}.{}", copy, getpid());
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  Statement(database, "VACUUM INTO ?").run(partial);
  std::error_code error;
  std::filesystem::rename(partial, copy, error);
  if (error) fail(ErrorCode::kIo, "{}: cannot keep a copy before migrating: {}", copy, error.message());
}

}  // namespace

void migrate(SqliteDatabase& database, Migrations migrations) {
  const auto known = static_cast<std::int64_t>(migrations.size());
  const std::int64_t before = checked_version(database, known);
  if (before == known) return;
  if (before > 0) keep_copy(database, before);
  database.transact([&] {
    // Another process may have been faster.
    const std::int64_t version = checked_version(database, known);
    for (std::int64_t v = version; v < known; ++v) database.execute(migrations[static_cast<std::size_t>(v)]);
    database.execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.execute(fmt::format("PRAGMA user_version = {}", known));
  });
}

}  // namespace micius
