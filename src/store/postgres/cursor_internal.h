// A statement of PostgreSQL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/postgres/database_internal.h"

namespace micius {

// Sent with its parameters the first time, prepared from the second on.
class PostgresCursor final : public Cursor {
 public:
  PostgresCursor(PostgresDatabase& database, std::string_view sql);
  ~PostgresCursor() override;
  PostgresCursor(const PostgresCursor&) = delete;
  PostgresCursor& operator=(const PostgresCursor&) = delete;

  void bind(std::span<const SqlValue> values) override;
  bool step() override;
  void reset() override;
  int columns() const override;
  std::string column_name(int column) const override;
  bool is_null(int column) const override;
  std::int64_t integer(int column) const override;
  double real(int column) const override;
  std::string text(int column) const override;
  Json json(int column) const override;

 private:
  pg_result* execute(pg_conn* connection);
  std::string_view cell(int column) const;

  PostgresDatabase* database_;
  std::string sql_;
  std::vector<std::optional<std::string>> values_;  // as libpq takes them
  std::string prepared_;                            // its name on the server, or ""
  int generation_ = 0;                              // of the connection that it was prepared on
  bool was_sent_ = false;
  PostgresResult result_;
  int row_ = -1;
};

}  // namespace micius
