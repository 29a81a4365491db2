// A thin, checked layer over the SQLite C interface. Every failure is Error{kIo}, for a file that is damaged
// or no database Error{kInvalidData}; both name the file.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/sql_internal.h"

struct sqlite3;

namespace micius {

class SqliteDatabase : public Database {
 public:
  // Makes the file if it is not there. Waits up to 30 s where another process holds a lock. `advice`: what to
  // do with a file that cannot be used; "": what is said of a database of runs.
  explicit SqliteDatabase(const std::filesystem::path& path, std::string advice = "");
  ~SqliteDatabase() override;

  void execute(const std::string& sql) override;
  std::unique_ptr<Cursor> prepare(std::string_view sql) override;
  void serialize() override {}  // a transaction has the one write lock
  std::string_view now_ms() const override {
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
  }
  std::string_view skip_locked() const override { return ""; }  // as above
  std::int64_t pragma(const std::string& setting);
  // user_version, 0 of an empty file. Throws Error{kInvalidData} for tables that are not of `application`;
  // `elsewhere`: what a user may do about it.
  std::int64_t version_of(std::int64_t application, std::string_view elsewhere);
  [[noreturn]] void fail_with_last_error() const;

 private:
  void run_transaction(const std::function<void()>& work) override;

  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  std::string advice_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

// Calls `work` until it does not throw Error{kIo}, for 10 s: SQLite does not wait by itself for another
// process that changes a file's journal at the same moment.
void insist(const std::function<void()>& work);

}  // namespace micius
