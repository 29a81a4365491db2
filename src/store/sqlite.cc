#include <sqlite3.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

namespace micius {
namespace {

constexpr int kBusyTimeoutMs = 30'000;

}  // namespace

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Database::Database(const std::filesystem::path& path) : path_(path.string()) {
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(
      path_.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (status != SQLITE_OK) fail_with_last_error();
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
}

Database::~Database() = default;

void Database::fail_with_last_error() const {
  const int code = handle_ ? sqlite3_errcode(handle_.get()) : SQLITE_NOMEM;
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      fail(ErrorCode::kInvalidData, "{}: not an SQLite database; name another file with --db", path_);
    case SQLITE_CORRUPT:
      fail(ErrorCode::kInvalidData,
           "{}: the database is damaged ({}); `sqlite3 {} .recover` saves what can be read", path_,
           sqlite3_errmsg(handle_.get()), path_);
    case SQLITE_CANTOPEN:
      fail(ErrorCode::kIo, "{}: cannot open the database; is its folder there and writable?", path_);
    case SQLITE_READONLY:
      fail(ErrorCode::kIo,
           "{}: the database and its folder must be writable, for reading too; copy it, or name another with "
           "--db",
           path_);
    case SQLITE_FULL:
      fail(ErrorCode::kIo,
           "{}: the disk is full; what was done is kept, make room and `micius resume` goes on", path_);
    case SQLITE_BUSY:
      fail(ErrorCode::kIo, "{}: another process has held the database for {} s; try again when it is done",
           path_, kBusyTimeoutMs / 1000);
    default:
      fail(ErrorCode::kIo, "{}: {}", path_, handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory");
  }
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail_with_last_error();
}

std::int64_t Database::pragma(const std::string& name) {
  Statement statement(*this, "PRAGMA " + name);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }

void Statement::Finalizer::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  sqlite3_stmt* handle = nullptr;
  check(sqlite3_prepare_v3(database.handle_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &handle, nullptr));
  handle_.reset(handle);
}

Statement::~Statement() = default;

void Statement::check(int status) const {
  if (status != SQLITE_OK) database_->fail_with_last_error();
}

bool Statement::step() {
  const int status = sqlite3_step(handle_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  // The message is that of the step; reset() would repeat the same error code.
  database_->fail_with_last_error();
}

void Statement::reset() { sqlite3_reset(handle_.get()); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_.get(), column); }
std::optional<double> Statement::real_or_null(int column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}
std::string Statement::text(int column) const {
  const unsigned char* bytes = sqlite3_column_text(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size))
               : std::string();
}
Json Statement::json(int column) const {
  switch (sqlite3_column_type(handle_.get(), column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return real(column);
    case SQLITE_NULL:
      return nullptr;
    default:
      return text(column);
  }
}
std::string Statement::column_name(int column) const { return sqlite3_column_name(handle_.get(), column); }
int Statement::columns() const { return sqlite3_column_count(handle_.get()); }

void Statement::bind_one(int index, std::int64_t value) {
  check(sqlite3_bind_int64(handle_.get(), index, value));
}
void Statement::bind_one(int index, double value) { check(sqlite3_bind_double(handle_.get(), index, value)); }
void Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL.
  check(sqlite3_bind_text64(handle_.get(), index, value.empty() ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind_null(int index) { check(sqlite3_bind_null(handle_.get(), index)); }

Transaction::Transaction(Database& database) : database_(&database) { database.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_->execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself after a full disk or an I/O error; that error is on its way already.
  }
}

void Transaction::commit() {
  database_->execute("COMMIT");
  open_ = false;
}

}  // namespace micius
