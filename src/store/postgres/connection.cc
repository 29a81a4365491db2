#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <libpq-fe.h>
#include <mutex>
#include <string_view>

#include "base/interrupted.h"
#include "base/text.h"
#include "store/postgres/connection_internal.h"

namespace micius {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kPatience{300};
constexpr milliseconds kFirstPause{50}, kLongestPause{3000};
constexpr int kOldestServer = 120000;  // the first whose doubles come back as they were without being asked

// What a URL may change comes before it, what it may not behind it. A peer that has gone without a word is
// noticed after a minute, on both sides.
struct Parameters {
  explicit Parameters(const std::string& url)
      : values{"10", "30", "10", "3", "60000", "micius", url.c_str(), "UTF8", nullptr} {}

  static constexpr std::array<const char*, 9> kNames = {
      "connect_timeout",  "keepalives_idle",  "keepalives_interval",
      "keepalives_count", "tcp_user_timeout", "fallback_application_name",
      "dbname",           "client_encoding",  nullptr};
  std::array<const char*, 9> values;
};

// All that the store reads it finds by an index. The server thinks that a page of records is a third of the
// run and would rather read all of `turns` for each.
constexpr const char* kSession =
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; "
    "SET enable_mergejoin = off; "
    "SET extra_float_digits = 1; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; "
    "SET tcp_keepalives_count = 3";

// Of states that end the connection: https://www.postgresql.org/docs/current/errcodes-appendix.html
bool ends_connection(std::string_view state) {
  constexpr std::array<std::string_view, 5> kEnds = {"57P01", "57P02", "57P03", "57P05", "25P03"};
  return state.starts_with("08") || std::find(kEnds.begin(), kEnds.end(), state) != kEnds.end();
}

bool is_contention(std::string_view state) { return state == "40001" || state == "40P01"; }

std::string one_line(std::string_view message) { return visible_line(strip(message)); }

}  // namespace

void ResultCloser::operator()(pg_result* result) const { PQclear(result); }
void PostgresConnection::Closer::operator()(pg_conn* handle) const { PQfinish(handle); }

PostgresConnection::PostgresConnection(const std::string& url, std::string label, ServerWait wait)
    : url_(url), label_(std::move(label)), wait_(std::move(wait)) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!connect()) {
    const Parameters parameters(url_);
    const PGPing there = PQpingParams(Parameters::kNames.data(), parameters.values.data(), 1);
    if (there != PQPING_REJECT || steady_clock::now() > deadline) {
      fail(ErrorCode::kIo,
           "{}: {}; is the server there, and are host, user, database and password right? (libpq takes the "
           "password from PGPASSWORD or ~/.pgpass too)",
           label_, message());
    }
    pause(kFirstPause);
  }
  check_server();
}

PostgresConnection::~PostgresConnection() = default;

bool PostgresConnection::connect() {
  const Parameters parameters(url_);
  handle_.reset(PQconnectdbParams(Parameters::kNames.data(), parameters.values.data(), 1));
  if (!handle_ || PQstatus(handle_.get()) != CONNECTION_OK) return false;
  PQsetNoticeProcessor(
      handle_.get(), [](void*, const char*) {}, nullptr);  // libraries do not print
  const PostgresResult session(PQexec(handle_.get(), kSession));
  if (PQresultStatus(session.get()) != PGRES_COMMAND_OK) return false;
  ++generation_;
  return true;
}

void PostgresConnection::check_server() const {
  const int version = PQserverVersion(handle_.get());
  if (version < kOldestServer) {
    fail(ErrorCode::kUnsupported, "{}: the server is PostgreSQL {}; version {} or newer is needed", label_,
         version / 10000, kOldestServer / 10000);
  }
  const char* encoding = PQparameterStatus(handle_.get(), "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    fail(
        ErrorCode::kUnsupported,
        "{}: the database's encoding is {}, and UTF8 is needed: make one with `createdb -T template0 -E UTF8 "
        "NAME`",
        label_, encoding == nullptr ? "unknown" : encoding);
  }
}

std::string PostgresConnection::message() const {
  const std::string said = handle_ ? PQerrorMessage(handle_.get()) : "out of memory";
  const std::string text = one_line(replace_all(said, url_, label_));  // some have all of the URL
  return text.empty() ? "the connection is closed" : text;
}

void PostgresConnection::reconnect() {
  const auto start = steady_clock::now();
  for (milliseconds time = kFirstPause; !connect(); time = std::min(2 * time, kLongestPause)) {
    if (wait_.log != nullptr && time == kFirstPause) {
      wait_.log->warning(fmt::format("{}: the connection is lost; waiting for the server, up to {} s", label_,
                                     kPatience.count()));
    }
    if (steady_clock::now() - start > kPatience) {
      fail(ErrorCode::kIo,
           "{}: the server was away for {} s: {}; what was recorded is kept, `micius resume` goes on once it "
           "is back",
           label_, kPatience.count(), message());
    }
    pause(time);
  }
}

void PostgresConnection::pause(milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, wait_.stop, time, [] { return false; });
  if (!wait_.stop.stop_requested()) return;
  throw Interrupted(fmt::format(
      "{}: interrupted while the server was away; what was recorded is kept, `micius resume` goes on once it "
      "is back",
      label_));
}

PostgresResult PostgresConnection::checked(pg_result* raw) {
  PostgresResult result(raw);
  const ExecStatusType status = PQresultStatus(raw);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail_with(raw);
  return result;
}

PostgresResult PostgresConnection::command(const std::string& sql) {
  return checked(PQexec(handle_.get(), sql.c_str()));
}

void PostgresConnection::fail_with(const pg_result* result) const {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? std::string_view() : std::string_view(field);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string what = primary == nullptr ? message() : one_line(primary);
  const std::string text = fmt::format("{}: {}", label_, what);
  // What has no state is not from the server: libpq could not send or hear, and may not call the connection
  // bad yet.
  if (state.empty() || ends_connection(state) || PQstatus(handle_.get()) != CONNECTION_OK)
    throw LostConnection(ErrorCode::kIo, text);
  if (is_contention(state)) throw Contention(ErrorCode::kIo, text);
  if (state == "42501") {
    fail(ErrorCode::kIo,
         "{}; the owner of the database gives the rights: GRANT USAGE, CREATE ON SCHEMA public to whoever "
         "makes "
         "the tables, SELECT on all of them to read runs, INSERT, UPDATE and DELETE as well to add some",
         text);
  }
  if (state == "25006")
    fail(ErrorCode::kIo, "{}; this server or session takes no writes: name the primary with --db", text);
  if (state == "53100") {
    fail(ErrorCode::kIo,
         "{}; the server's disk is full: what was recorded is kept, make room and `micius resume` goes on",
         text);
  }
  if (state == "3F000")
    fail(ErrorCode::kIo, "{}; make the first schema of the search path: CREATE SCHEMA", text);
  fail(ErrorCode::kIo, "{} (SQLSTATE {})", text, state);
}

}  // namespace micius
