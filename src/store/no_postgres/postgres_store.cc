// Where libpq was not found when the program was built.
#include "store/postgres_store.h"

#include "base/error.h"
#include "store/database_url_internal.h"

namespace micius {

std::unique_ptr<SqlStore> open_postgres(const std::string& url, OpenMode, const Clock&, ServerWait) {
  fail(ErrorCode::kUnsupported,
       "{}: this micius was built without libpq; install Debian's libpq-dev and build again, or name an "
       "SQLite "
       "file with --db",
       url_label(url));
}

std::unique_ptr<SqlStore> find_postgres(const std::string& url, const Clock& clock) {
  return open_postgres(url, OpenMode::kExisting, clock, {});
}

}  // namespace micius
