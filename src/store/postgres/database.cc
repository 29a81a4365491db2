#include <cstdlib>
#include <libpq-fe.h>
#include <random>
#include <string_view>

#include "store/database_url_internal.h"
#include "store/postgres/cursor_internal.h"
#include "store/postgres/database_internal.h"

namespace micius {
namespace {

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL READ COMMITTED";
constexpr std::int64_t kLockOfOurs = 0x4d696369;  // "Mici"

// No other process may have the same, so it is not of a named stream.
std::string unique_name() {
  std::random_device device;
  std::string name;
  for (int i = 0; i < 4; ++i) name += fmt::format("{:08x}", device());
  return name;
}

}  // namespace

PostgresDatabase::PostgresDatabase(const std::string& url, ServerWait wait)
    : Database(url_label(url)), connection_(url, name(), std::move(wait)), writer_(unique_name()) {}

PostgresDatabase::~PostgresDatabase() {
  // Where it fails the row stays, and goes with other old ones.
  if (has_writer_)
    PQclear(PQexec(connection_.handle(),
                   fmt::format("DELETE FROM writers WHERE writer = '{}'", writer_).c_str()));
}

void PostgresDatabase::execute(const std::string& sql) { connection_.command(sql); }

std::unique_ptr<Cursor> PostgresDatabase::prepare(std::string_view sql) {
  return std::make_unique<PostgresCursor>(*this, sql);
}

void PostgresDatabase::serialize() { execute(fmt::format("SELECT pg_advisory_xact_lock({})", kLockOfOurs)); }

PostgresResult PostgresDatabase::send(const std::function<pg_result*(pg_conn*)>& command) {
  while (true) {
    try {
      return connection_.checked(command(connection_.handle()));
    } catch (const LostConnection&) {
      if (in_transaction()) throw;
      connection_.reconnect();
    }
  }
}

void PostgresDatabase::roll_back() {
  // Where it fails the connection is gone, and the transaction with it.
  PQclear(PQexec(connection_.handle(), "ROLLBACK"));
}

void PostgresDatabase::run_transaction(const std::function<void()>& work) {
  const std::int64_t number = ++transactions_;
  while (true) {
    try {
      if (begin(number) == Begun::kCommittedBefore) return;
      work();
      execute("COMMIT");
      return;
    } catch (const LostConnection&) {
      connection_.reconnect();
    } catch (const Contention&) {
      roll_back();
    } catch (...) {
      roll_back();
      throw;
    }
  }
}

PostgresDatabase::Begun PostgresDatabase::begin(std::int64_t number) {
  if (!numbered_) {
    execute(kBegin);
    return Begun::kOpen;
  }
  while (true) {
    if (!has_writer_) add_writer();
    const PostgresResult set = connection_.command(fmt::format(
        "{}; UPDATE writers SET commits = {}, seen_at = now() WHERE writer = '{}' AND commits < {}", kBegin,
        number, writer_, number));
    if (std::string_view(PQcmdTuples(set.get())) == "1") return Begun::kOpen;
    execute("ROLLBACK");
    const PostgresResult there =
        connection_.command(fmt::format("SELECT commits FROM writers WHERE writer = '{}'", writer_));
    if (PQntuples(there.get()) == 1) return Begun::kCommittedBefore;
    has_writer_ = false;  // it had grown old, in a process that was stopped for days
  }
}

void PostgresDatabase::add_writer() {
  connection_.command(
      fmt::format("DELETE FROM writers WHERE seen_at < now() - INTERVAL '30 days'; "
                  "INSERT INTO writers (writer, commits) VALUES ('{}', {}) "
                  "ON CONFLICT (writer) DO NOTHING",
                  writer_, transactions_ - 1));
  has_writer_ = true;
}

}  // namespace micius
