// A PostgreSQL database as the store works with it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/postgres/connection_internal.h"
#include "store/sql_internal.h"

namespace micius {

// A statement outside of a transaction is done again where the connection is lost, and so may only read.
//
// A lost connection leaves open whether a commit was done. So a database that writes has a row of its own in
// the table `writers`, which every transaction sets to its number, first of all: where a number is set
// already, that transaction was committed, and where the old connection still goes about it, the row's lock
// makes the new one wait for the answer.
class PostgresDatabase final : public Database {
 public:
  // Throws Error{kUsage} for a URL that is none; else as PostgresConnection.
  PostgresDatabase(const std::string& url, ServerWait wait);
  ~PostgresDatabase() override;

  void execute(const std::string& sql) override;
  std::unique_ptr<Cursor> prepare(std::string_view sql) override;
  void serialize() override;
  std::string_view now_ms() const override {
    return "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)";
  }
  std::string_view skip_locked() const override { return " FOR UPDATE SKIP LOCKED"; }

  // The table `writers` is there. Before, the work of a transaction may be done twice.
  void number_transactions() { numbered_ = true; }

  // Sends one command; outside of a transaction until it gets an answer.
  PostgresResult send(const std::function<pg_result*(pg_conn*)>& command);
  PostgresConnection& connection() { return connection_; }
  bool is_transacting() const { return in_transaction(); }

 private:
  enum class Begun { kOpen, kCommittedBefore };
  void run_transaction(const std::function<void()>& work) override;
  Begun begin(std::int64_t number);
  void add_writer();
  void roll_back();

  PostgresConnection connection_;
  std::string writer_;             // this object's row
  std::int64_t transactions_ = 0;  // begun so far; each has a number of its own, committed or not
  bool has_writer_ = false;        // has the row been added?
  bool numbered_ = false;
};

}  // namespace micius
