#include "sandbox/host_watch.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

int listen_at(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(fd, 5) != 0) {
    throw std::runtime_error("no socket at " + name);
  }
  return fd;
}

// The names of this process' descendants, but for those that a sandbox at rest has.
std::multiset<std::string> strangers() {
  std::multiset<std::string> names;
  for (const auto& [pid, name] : descendants(::getpid())) {
    if (name != "bwrap" && name != "micius-box") names.insert(name);
  }
  return names;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// pid -> (parent, name)
std::map<int, std::pair<int, std::string>> all_processes() {
  std::map<int, std::pair<int, std::string>> all;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string text;
    std::getline(file, text);  // nothing, where the process ends while we look
    const std::size_t open = text.find('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > text.size()) continue;
    all[pid] = {std::atoi(text.c_str() + close + 4), text.substr(open + 1, close - open - 1)};
  }
  return all;
}

}  // namespace

std::map<int, std::string> descendants(int of) {
  const auto all = all_processes();
  std::map<int, std::string> names;
  for (const auto& [pid, process] : all) {
    int ancestor = process.first;
    for (int steps = 0; ancestor > 1 && ancestor != of && steps < 100; ++steps) {
      const auto up = all.find(ancestor);
      ancestor = up == all.end() ? 0 : up->second.first;
    }
    if (ancestor == of) names[pid] = process.second;
  }
  return names;
}

std::vector<std::string> control_groups_of(int of) {
  std::vector<std::string> groups;
  const std::string beginning = "micius-box-" + std::to_string(of) + "-";
  std::error_code ended;  // groups of others come and go
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at("/sys/fs/cgroup", options, ended), end; !ended && at != end;
       at.increment(ended)) {
    if (at->path().filename().string().rfind(beginning, 0) == 0) groups.push_back(at->path());
  }
  return groups;
}

HostWatch::HostWatch() : abstract_("micius-test-" + std::to_string(::getpid())) {
  ::chmod(folder_.path().c_str(), 0755);
  write_file_atomic(folder_.path() / "canary", "tweet\n");
  ::chmod((folder_.path() / "canary").c_str(), 0644);
  secret_ = ::open((folder_.path() / "canary").c_str(), O_RDONLY);  // not closed by exec
  ::setenv("MICIUS_TEST_SECRET", "tweet", 1);
  sockets_[0] = listen_at(std::string(1, '\0') + abstract_);
  sockets_[1] = listen_at((folder_.path() / "socket").string());
  sockets_[2] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(sockets_[2], reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(sockets_[2], 5) != 0 ||
      ::getsockname(sockets_[2], reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no listening socket");
  }
  port_ = ntohs(address.sin_port);
  before_ = folder_state();
}

HostWatch::~HostWatch() {
  for (const int fd : sockets_) ::close(fd);
  ::close(secret_);
  ::unsetenv("MICIUS_TEST_SECRET");
}

std::string HostWatch::filled(std::string text) const {
  replace_all(text, "@FOLDER@", folder_.path());
  replace_all(text, "@PORT@", std::to_string(port_));
  replace_all(text, "@ABSTRACT@", abstract_);
  replace_all(text, "@PID@", std::to_string(::getpid()));
  return text;
}

std::string HostWatch::folder_state() const {
  std::ostringstream state;
  std::set<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) paths.insert(entry.path());
  for (const fs::path& path : paths) {
    struct stat status;
    ::lstat(path.c_str(), &status);
    state << path << " " << status.st_mode << " " << status.st_size << " " << status.st_mtim.tv_sec << "."
          << status.st_mtim.tv_nsec << "\n";
  }
  return state.str() + read_file(folder_.path() / "canary");
}

std::string HostWatch::changes() const {
  if (folder_state() != before_) return "the folder outside has changed";
  for (const int fd : sockets_) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, 0) != 0) return "a socket outside was reached";
  }
  std::multiset<std::string> left = strangers();
  for (int tries = 0; !left.empty() && tries < 100; ++tries) {
    ::usleep(10'000);
    left = strangers();
  }
  return left.empty() ? "" : "left behind: " + *left.begin();
}

}  // namespace micius
