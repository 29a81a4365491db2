#include <chrono>
#include <thread>
#include <utility>

#include <sqlite3.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

namespace micius {
namespace {

constexpr int kBusyTimeoutMs = 30'000;

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(const SqliteDatabase& database, sqlite3* connection, std::string_view sql)
      : database_(&database) {
    sqlite3_stmt* handle = nullptr;
    check(sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                             &handle, nullptr));
    handle_.reset(handle);
  }

  void bind(std::span<const SqlValue> values) override {
    reset();
    int index = 0;
    for (const SqlValue& value : values)
      check(std::visit([&](const auto& v) { return bind_one(++index, v); }, value));
  }

  bool step() override {
    const int status = sqlite3_step(handle_.get());
    if (status == SQLITE_ROW) return true;
    if (status == SQLITE_DONE) return false;
    // The message is that of the step; reset() would repeat the same error code.
    database_->fail_with_last_error();
  }

  void reset() override { sqlite3_reset(handle_.get()); }
  int columns() const override { return sqlite3_column_count(handle_.get()); }
  std::string column_name(int column) const override { return sqlite3_column_name(handle_.get(), column); }
  bool is_null(int column) const override {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(handle_.get(), column); }
  double real(int column) const override { return sqlite3_column_double(handle_.get(), column); }
  std::string text(int column) const override {
    const unsigned char* bytes = sqlite3_column_text(handle_.get(), column);
    const int size = sqlite3_column_bytes(handle_.get(), column);
    return bytes ? std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size))
                 : std::string();
  }
  Json json(int column) const override {
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

 private:
  int bind_one(int index, std::monostate) { return sqlite3_bind_null(handle_.get(), index); }
  int bind_one(int index, std::int64_t value) { return sqlite3_bind_int64(handle_.get(), index, value); }
  int bind_one(int index, double value) { return sqlite3_bind_double(handle_.get(), index, value); }
  int bind_one(int index, std::string_view value) {
    // A null pointer would bind NULL.
    return sqlite3_bind_text64(handle_.get(), index, value.empty() ? "" : value.data(), value.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  void check(int status) const {
    if (status != SQLITE_OK) database_->fail_with_last_error();
  }

  struct Finalizer {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  const SqliteDatabase* database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> handle_;
};

}  // namespace

void SqliteDatabase::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

SqliteDatabase::SqliteDatabase(const std::filesystem::path& path, std::string advice)
    : Database(path.string()), advice_(std::move(advice)) {
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(
      name().c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (status != SQLITE_OK) fail_with_last_error();
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
}

SqliteDatabase::~SqliteDatabase() = default;

void SqliteDatabase::fail_with_last_error() const {
  const int code = (handle_ ? sqlite3_errcode(handle_.get()) : SQLITE_NOMEM) & 0xff;
  if (!advice_.empty()) {
    const bool is_invalid = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    fail(is_invalid ? ErrorCode::kInvalidData : ErrorCode::kIo, "{}: {}; {}", name(),
         handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory", advice_);
  }
  switch (code) {
    case SQLITE_NOTADB:
      fail(ErrorCode::kInvalidData, "{}: not an SQLite database; name another file with --db", name());
    case SQLITE_CORRUPT:
      fail(ErrorCode::kInvalidData,
           "{}: the database is damaged ({}); `sqlite3 {} .recover` saves what can be read", name(),
           sqlite3_errmsg(handle_.get()), name());
    case SQLITE_CANTOPEN:
      fail(ErrorCode::kIo, "{}: cannot open the database; is its folder there and writable?", name());
    case SQLITE_READONLY:
      fail(ErrorCode::kIo,
           "{}: the database and its folder must be writable, for reading too; copy it, or name another with "
           "--db",
           name());
    case SQLITE_FULL:
      fail(ErrorCode::kIo,
           "{}: the disk is full; what was done is kept, make room and `micius resume` goes on", name());
    case SQLITE_BUSY:
      fail(ErrorCode::kIo, "{}: another process has held the database for {} s; try again when it is done",
           name(), kBusyTimeoutMs / 1000);
    default:
      fail(ErrorCode::kIo, "{}: {}", name(), handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory");
  }
}

void SqliteDatabase::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail_with_last_error();
}

std::int64_t SqliteDatabase::pragma(const std::string& setting) {
  Statement statement(*this, "PRAGMA " + setting);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t SqliteDatabase::version_of(std::int64_t application, std::string_view elsewhere) {
  // One statement, so that all three numbers are of one moment: another process may be making the database.
  Statement facts(*this,
                  "SELECT u.user_version, a.application_id, (SELECT count(*) FROM sqlite_master) "
                  "FROM pragma_user_version AS u, pragma_application_id AS a");
  facts.step();
  const std::int64_t version = facts.integer(0), found = facts.integer(1), tables = facts.integer(2);
  if (found != application && (found != 0 || version != 0 || tables != 0))
    fail(ErrorCode::kInvalidData, "{}: a database of another program; {}", name(), elsewhere);
  return version;
}

std::unique_ptr<Cursor> SqliteDatabase::prepare(std::string_view sql) {
  return std::make_unique<SqliteCursor>(*this, handle_.get(), sql);
}

void SqliteDatabase::run_transaction(const std::function<void()>& work) {
  execute("BEGIN IMMEDIATE");
  try {
    work();
    execute("COMMIT");
  } catch (...) {
    try {
      execute("ROLLBACK");
    } catch (const Error&) {
      // SQLite has rolled back by itself after a full disk or an I/O error; that error is on its way already.
    }
    throw;
  }
}

void insist(const std::function<void()>& work) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (true) {
    try {
      return work();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIo || std::chrono::steady_clock::now() > deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

}  // namespace micius
