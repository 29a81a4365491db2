// A checked layer over libpq: one connection that comes back after it was lost.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "store/postgres_store.h"

struct pg_conn;
struct pg_result;

namespace micius {

// The connection is gone; what was under way was done or not. Whoever knows what can be done again catches
// it, and nobody else sees it.
class LostConnection : public Error {
  using Error::Error;
};

// Another transaction was in the way and this one is undone; done again, it goes through.
class Contention : public Error {
  using Error::Error;
};

struct ResultCloser {
  void operator()(pg_result* result) const;
};
using PostgresResult = std::unique_ptr<pg_result, ResultCloser>;

// For one thread at a time.
class PostgresConnection {
 public:
  // Connects. Waits for a server that is starting, and for no other.
  PostgresConnection(const std::string& url, std::string label, ServerWait wait);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  pg_conn* handle() const { return handle_.get(); }
  // How often it was connected. What was prepared in another generation is gone.
  int generation() const { return generation_; }

  // Takes what a command gave, whichever way it was sent. Throws LostConnection, Contention, or an Error that
  // says what to do next.
  PostgresResult checked(pg_result* result);
  PostgresResult command(const std::string& sql);  // the last result of one or more statements

  // Connects again, after a while where need be. Throws Error{kIo} once the server was away for five minutes,
  // and Interrupted.
  void reconnect();

 private:
  bool connect();  // false: message() says why
  void check_server() const;
  std::string message() const;
  void pause(std::chrono::milliseconds time);
  [[noreturn]] void fail_with(const pg_result* result) const;

  struct Closer {
    void operator()(pg_conn* handle) const;
  };
  std::string url_, label_;
  ServerWait wait_;
  std::unique_ptr<pg_conn, Closer> handle_;
  int generation_ = 0;
};

}  // namespace micius
