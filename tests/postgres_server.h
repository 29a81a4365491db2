// Debian's PostgreSQL as an ordinary process in a folder of its own, for tests.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

namespace micius {

// Listens on a socket in its folder and nowhere else; ends with the test. Runs as `postgres` where the test
// is root's, as whom it refuses to run. Throws std::runtime_error with its log where it does not start.
class PostgresServer {
 public:
  // Why there can be none on this machine, or "".
  static std::string why_not();

  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // postgresql://.. of a database; `user` may have a password with it.
  std::string url(const std::string& database, const std::string& user = "postgres") const;
  std::string new_database();  // an empty one's name
  // What `psql` prints of the rows, columns with `|` between; throws with its message where it fails.
  std::string query(const std::string& database, const std::string& sql) const;

  enum class End { kOrderly, kCrash };  // sessions are ended; nothing is written down any more
  void stop(End end);
  void start();

 private:
  void make_folder();

  std::filesystem::path folder_, programs_;
  std::string user_;  // whom it runs as, or "": as the test
  pid_t process_ = -1;
  int databases_ = 0;
};

// The one that the tests of this process share; null, and the reason is printed, where there can be none.
PostgresServer* shared_postgres();

}  // namespace micius
