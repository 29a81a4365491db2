// The kinds of store that the same tests run against.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "store/open_store.h"
#include "temp_dir.h"

namespace micius {

class PostgresServer;

// A database of one kind, empty at first, that goes away with the object.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::string database() const = 0;  // for open_store()
  // What a query gives in its first row and column, asked past the store.
  virtual std::int64_t count(const std::string& query) const = 0;

  std::unique_ptr<SqlStore> open(OpenMode mode = OpenMode::kCreate) const;
};

class SqlitePlace final : public Place {
 public:
  std::string database() const override { return (dir_.path() / "a.db").string(); }
  std::int64_t count(const std::string& query) const override;

 private:
  TempDir dir_;
};

class PostgresPlace final : public Place {
 public:
  explicit PostgresPlace(PostgresServer& server);
  std::string database() const override;
  std::int64_t count(const std::string& query) const override;
  const std::string& name() const { return name_; }

 private:
  PostgresServer* server_;
  std::string name_;
};

// What holds for every kind of store.
struct PlaceCase {
  const char* name;
  void (*check)(const Place& place);
};
// Each case as a section of its own, in a place of its own. PostgreSQL: skipped, with the reason, without a
// server.
void check_on_sqlite(std::span<const PlaceCase> cases);
void check_on_postgres(std::span<const PlaceCase> cases);

}  // namespace micius
