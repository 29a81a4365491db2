#include "store/postgres_store.h"

#include "base/error.h"
#include "store/postgres/schema_internal.h"

namespace micius {
namespace {

class PostgresStore final : public SqlStore {
 public:
  PostgresStore(std::unique_ptr<PostgresDatabase> database, const Clock& clock)
      : SqlStore(numbered(std::move(database)), clock) {}

 private:
  static std::unique_ptr<Database> numbered(std::unique_ptr<PostgresDatabase> database) {
    database->number_transactions();
    return database;
  }
};

}  // namespace

std::unique_ptr<SqlStore> open_postgres(const std::string& url, OpenMode mode, const Clock& clock,
                                        ServerWait wait) {
  auto database = std::make_unique<PostgresDatabase>(url, std::move(wait));
  if (!migrate(*database, schema_migrations(), mode)) {
    fail(ErrorCode::kNotFound, "{}: no runs here; `micius run` makes the first, --db names another database",
         database->name());
  }
  return std::make_unique<PostgresStore>(std::move(database), clock);
}

std::unique_ptr<SqlStore> find_postgres(const std::string& url, const Clock& clock) {
  auto database = std::make_unique<PostgresDatabase>(url, ServerWait());
  if (!migrate(*database, schema_migrations(), OpenMode::kExisting)) return nullptr;
  return std::make_unique<PostgresStore>(std::move(database), clock);
}

}  // namespace micius
