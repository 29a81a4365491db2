#include "postgres_server.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <pwd.h>
#include <stdexcept>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace micius {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Where postgres, initdb and psql are: Debian has them in no PATH.
std::optional<fs::path> program_folder() {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const fs::path folder = version.path() / "bin";
    if (fs::exists(folder / "postgres") && fs::exists(folder / "initdb") && fs::exists(folder / "psql"))
      found.push_back(folder);
  }
  if (found.empty()) return std::nullopt;
  return *std::max_element(found.begin(), found.end());
}

std::optional<std::string> server_user() {
  for (const char* name : {"postgres", "nobody"})
    if (getpwnam(name) != nullptr) return name;
  return std::nullopt;
}

// Starts `words` with its output in `log`; `user` as PostgresServer::user_.
pid_t spawn(std::vector<std::string> words, const std::string& user, const fs::path& log) {
  std::vector<std::string> all = {"setpriv", "--pdeathsig", "QUIT"};
  if (!user.empty()) {
    const passwd* entry = getpwnam(user.c_str());
    for (const std::string& word :
         {std::string("--reuid"), std::to_string(entry->pw_uid), std::string("--regid"),
          std::to_string(entry->pw_gid), std::string("--clear-groups")})
      all.push_back(word);
  }
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  if (chdir("/") == 0) execvp(argv[0], argv.data());
  _exit(127);
}

int status_of(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_ready(const fs::path& data) {
  std::ifstream file(data / "postmaster.pid");
  std::string line, last;
  for (int i = 0; i < 8 && std::getline(file, line); ++i) last = line;
  return last.starts_with("ready");
}

}  // namespace

std::string PostgresServer::why_not() {
  if (!MICIUS_HAS_LIBPQ) return "micius was built without libpq";
  if (!program_folder()) return "no PostgreSQL server on this machine (Debian's package postgresql)";
  if (geteuid() == 0 && !server_user()) return "no user to run PostgreSQL as";
  return "";
}

PostgresServer::PostgresServer() : programs_(program_folder().value()) {
  if (geteuid() == 0) user_ = server_user().value();
  make_folder();
  const pid_t made = spawn({programs_ / "initdb", "-D", folder_ / "data", "-U", "postgres", "-A", "trust",
                            "-E", "UTF8", "--no-locale", "--no-sync"},
                           user_, folder_ / "log");
  if (status_of(made) != 0) throw std::runtime_error("initdb: " + text_of(folder_ / "log"));
  start();
}

PostgresServer::~PostgresServer() {
  if (process_ > 0) stop(End::kCrash);
  std::error_code none;
  fs::remove_all(folder_, none);
}

void PostgresServer::make_folder() {
  std::string name = "/tmp/micius-postgres-XXXXXX";  // short: a socket's path has 107 characters
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  if (user_.empty()) return;
  const passwd* entry = getpwnam(user_.c_str());
  if (chown(name.c_str(), entry->pw_uid, entry->pw_gid) != 0) throw std::runtime_error("chown " + name);
  fs::permissions(folder_, fs::perms(0755));
}

void PostgresServer::start() {
  process_ =
      spawn({programs_ / "postgres", "-D", folder_ / "data", "-k", folder_, "-c", "listen_addresses=", "-c",
             "fsync=off", "-c", "shared_buffers=32MB", "-c", "max_connections=60"},
            user_, folder_ / "log");
  for (int i = 0; i < 6000; ++i) {
    if (is_ready(folder_ / "data")) return;
    if (waitpid(process_, nullptr, WNOHANG) != 0) break;
    std::this_thread::sleep_for(milliseconds(10));
  }
  throw std::runtime_error("postgres: " + text_of(folder_ / "log"));
}

void PostgresServer::stop(End end) {
  kill(process_, end == End::kOrderly ? SIGINT : SIGQUIT);
  status_of(process_);
  process_ = -1;
  std::error_code none;
  fs::remove(folder_ / "data" / "postmaster.pid", none);  // it would tell the next one ready
}

std::string PostgresServer::url(const std::string& database, const std::string& user) const {
  return "postgresql://" + user + "@/" + database + "?host=" + folder_.string();
}

std::string PostgresServer::new_database() {
  std::string name = "runs_" + std::to_string(++databases_);
  query("postgres", "CREATE DATABASE " + name);
  return name;
}

std::string PostgresServer::query(const std::string& database, const std::string& sql) const {
  std::string log = (folder_ / "query-XXXXXX").string();
  close(mkstemp(log.data()));
  const int status = status_of(
      spawn({programs_ / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c", sql}, "", log));
  std::string text = text_of(log);
  fs::remove(log);
  if (status != 0) throw std::runtime_error(sql + ": " + text);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

PostgresServer* shared_postgres() {
  const std::string why_not = PostgresServer::why_not();
  if (!why_not.empty()) {
    WARN("skipped: " << why_not);
    return nullptr;
  }
  static PostgresServer server;
  return &server;
}

}  // namespace micius
