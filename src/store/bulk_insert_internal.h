// Rows of one table, many in one statement.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "store/sql_internal.h"

namespace micius {

// Statements are prepared for one row, two, four .. and kMostRows, and kept: a server is asked a few times
// for any number of rows.
class BulkInsert {
 public:
  static constexpr std::size_t kMostRows = 64;

  // `columns`: "run_id, position"; `ending`: what follows the values.
  BulkInsert(Database& database, std::string_view table, std::string_view columns, std::string ending = "");

  // One row to insert(); the arguments are copied.
  template <typename... Args>
  void add(const Args&... args) {
    (values_.push_back(owned(Statement::value_of(args))), ...);
  }
  // Inserts what was added since the last call. `row` is called for each row that the ending returns.
  void insert(const std::function<void(const Statement&)>& row = {});
  void drop() { values_.clear(); }  // what was added: its transaction begins anew

 private:
  using Owned = std::variant<std::monostate, std::int64_t, double, std::string>;
  static Owned owned(const SqlValue& value);
  Statement& statement(std::size_t rows);

  Database* database_;
  std::string head_, values_of_row_, ending_;
  std::size_t columns_;
  std::map<std::size_t, Statement> statements_;  // by their number of rows
  std::vector<Owned> values_;
};

// The largest of 1, 2, 4 .. BulkInsert::kMostRows that is not above `rows`, which is not 0.
std::size_t rows_at_once(std::size_t rows);

// "(?, ?), (?, ?)"-like lists: `part`, `count` times with commas between.
std::string repeated(std::string_view part, std::size_t count);

}  // namespace micius
