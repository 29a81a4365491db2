// What the store needs of a database, whichever kind it is: statements, rows, transactions. Every failure is
// an Error that names the database.
//
// SQL is what SQLite and PostgreSQL read alike, with `?` for a parameter (so no other `?`, not even in
// text). Texts are valid UTF-8 and may hold U+0000.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "base/text.h"

namespace micius {

using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string_view>;  // the first: NULL

// A prepared statement of one kind of database, and the rows that it gives.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // Gives up the rows that are left, copies the values and makes the statement ready for step().
  virtual void bind(std::span<const SqlValue> values) = 0;
  virtual bool step() = 0;  // true while there is a row
  virtual void reset() = 0;
  virtual int columns() const = 0;
  virtual std::string column_name(int column) const = 0;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string text(int column) const = 0;  // "" for NULL
  virtual Json json(int column) const = 0;         // null, number or text
};

// One connection. For one thread at a time.
class Database {
 public:
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // What messages call it: a path, or a URL without its password.
  const std::string& name() const { return name_; }
  virtual void execute(const std::string& sql) = 0;  // one or more statements without results
  virtual std::unique_ptr<Cursor> prepare(std::string_view sql) = 0;
  // Runs `work` in one transaction: all that it writes is there once this returns, nothing where it throws.
  // What writes is inside one. `work` may be run again, after a connection was lost or a transaction was in
  // another's way; what it did before is undone then. Inside a transaction it is a part of that one.
  void transact(const std::function<void()>& work);
  // Inside a transaction: waits until no other transaction that has called this goes on.
  virtual void serialize() = 0;
  // An expression: milliseconds since 1970 by the clock that all who use the database share, the server's
  // where there is one.
  virtual std::string_view now_ms() const = 0;
  // What ends a query for a row to be changed: rows that others are changing are passed over.
  virtual std::string_view skip_locked() const = 0;

 protected:
  explicit Database(std::string name) : name_(std::move(name)) {}
  bool in_transaction() const { return in_transaction_; }

 private:
  virtual void run_transaction(const std::function<void()>& work) = 0;

  std::string name_;
  bool in_transaction_ = false;
};

// A statement with C++ types; the database must outlive it.
class Statement {
 public:
  Statement(Database& database, std::string_view sql) : cursor_(database.prepare(sql)) {}

  // Binds the arguments in order and makes the statement ready for step(). Parameters are copied.
  template <typename... Args>
  Statement& bind(const Args&... args) {
    return bind_all(std::array<SqlValue, sizeof...(Args)>{value_of(args)...});
  }
  Statement& bind_all(std::span<const SqlValue> values) {
    cursor_->bind(values);
    return *this;
  }
  template <typename... Args>
  void run(const Args&... args) {
    bind(args...);
    step();
    reset();
  }
  bool step() { return cursor_->step(); }  // true while there is a row
  void reset() { cursor_->reset(); }       // gives up the rows that are left, and the lock on them

  bool is_null(int column) const { return cursor_->is_null(column); }
  std::int64_t integer(int column) const { return cursor_->integer(column); }
  double real(int column) const { return cursor_->real(column); }
  std::string text(int column) const { return cursor_->text(column); }
  Json json(int column) const { return cursor_->json(column); }
  std::string column_name(int column) const { return cursor_->column_name(column); }
  int columns() const { return cursor_->columns(); }

  // What bind() makes of an argument; a text is borrowed.
  static SqlValue value_of(std::int64_t value) { return value; }
  static SqlValue value_of(int value) { return std::int64_t{value}; }
  static SqlValue value_of(std::size_t value) { return static_cast<std::int64_t>(value); }
  static SqlValue value_of(double value) { return value; }
  static SqlValue value_of(std::string_view value) { return value; }
  static SqlValue value_of(const std::string& value) { return std::string_view(value); }
  template <typename T>
  static SqlValue value_of(const std::optional<T>& value) {
    return value ? value_of(*value) : SqlValue();
  }

 private:
  std::unique_ptr<Cursor> cursor_;
};

// `sql` with the database's clock for each `NOW`.
inline std::string with_clock(const Database& database, const std::string& sql) {
  return replace_all(sql, "NOW", database.now_ms());
}

}  // namespace micius
