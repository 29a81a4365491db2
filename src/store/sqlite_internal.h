// A thin, checked layer over the SQLite C interface. Every failure is Error{kIo}, for a file that is damaged
// or no database Error{kInvalidData}; both name the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

struct sqlite3;
struct sqlite3_stmt;

namespace micius {

// One connection. For one thread at a time.
class Database {
 public:
  // Makes the file if it is not there. Waits up to 30 s where another process holds a lock.
  explicit Database(const std::filesystem::path& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& path() const { return path_; }
  void execute(const std::string& sql);  // one or more statements without results
  std::int64_t pragma(const std::string& name);
  std::int64_t last_insert_id() const;
  [[noreturn]] void fail_with_last_error() const;

 private:
  friend class Statement;
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

// A prepared statement; the database must outlive it. Parameters are copied.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds the arguments in order and makes the statement ready for step().
  template <typename... Args>
  Statement& bind(const Args&... args) {
    reset();
    int index = 0;
    (bind_one(++index, args), ...);
    return *this;
  }
  template <typename... Args>
  void run(const Args&... args) {
    bind(args...);
    step();
    reset();
  }
  bool step();   // true while there is a row
  void reset();  // gives up the rows that are left, and the lock on them

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  // "" for NULL
  std::optional<double> real_or_null(int column) const;
  Json json(int column) const;  // null, number or text
  std::string column_name(int column) const;
  int columns() const;

 private:
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, std::size_t value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, double value);
  void bind_one(int index, std::string_view value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  template <typename T>
  void bind_one(int index, const std::optional<T>& value) {
    if (value) {
      bind_one(index, *value);
    } else {
      bind_null(index);
    }
  }
  void bind_null(int index);
  void check(int status) const;

  Database* database_;
  struct Finalizer {
    void operator()(sqlite3_stmt* handle) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalizer> handle_;
};

// Holds the one write lock; rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database* database_;
  bool open_ = true;
};

}  // namespace micius
