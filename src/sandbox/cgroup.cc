#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/cgroup_internal.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "micius-box-";
constexpr int kMostNames = 1'000;

std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Where the group has such a setting.
void set(const fs::path& path, const std::string& text) {
  if (::access(path.c_str(), F_OK) == 0) std::ofstream(path) << text;
}

struct Hierarchy {
  fs::path mount;
  std::string controllers;  // "" for v2
};

std::vector<Hierarchy> hierarchies() {
  std::vector<Hierarchy> list;
  std::istringstream mounts(read_text("/proc/self/mounts"));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string source, folder, type, options;
    fields >> source >> folder >> type >> options;
    if (type == "cgroup2") list.push_back({folder, ""});
    if (type == "cgroup") list.push_back({folder, "," + options + ","});
  }
  return list;
}

// The group of this process in the hierarchy of `controller`, "" for v2, as a path below its mount.
std::string own_group(const std::string& controller) {
  std::istringstream lines(read_text("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(":/", first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) == controller) return line.substr(second + 2);
  }
  return "";
}

// Groups of programs that were killed and so could not remove them. Their name has the number of their
// process.
void remove_stale(const fs::path& parent) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename();
    if (name.rfind(kPrefix, 0) != 0) continue;
    pid_t pid = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), pid);
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) ::rmdir(entry.path().c_str());
  }
}

// A new group under `parent` that has the files `needed`.
std::optional<fs::path> make_group(const fs::path& parent, const std::string& name,
                                   std::initializer_list<const char*> needed) {
  if (::access(parent.c_str(), W_OK) != 0) return std::nullopt;
  remove_stale(parent);
  const std::string first = std::string(kPrefix) + std::to_string(::getpid()) + "-" + name;
  fs::path group = parent / first;
  // Another sandbox of this process, or a killed one that had its number, may have taken the name.
  for (int other = 1; ::mkdir(group.c_str(), 0755) != 0; ++other) {
    if (errno != EEXIST || other == kMostNames) return std::nullopt;
    group = parent / (first + "-" + std::to_string(other));
  }
  for (const char* file : needed) {
    if (::access((group / file).c_str(), F_OK) == 0) continue;
    ::rmdir(group.c_str());
    return std::nullopt;
  }
  return group;
}

}  // namespace

ControlGroup::ControlGroup(const std::string& name) {
  for (const Hierarchy& hierarchy : hierarchies()) {
    std::optional<fs::path> group;
    if (hierarchy.controllers.empty()) {
      const fs::path beside = (hierarchy.mount / own_group("")).parent_path();
      for (const fs::path& parent : {beside, hierarchy.mount}) {
        if (!group) group = make_group(parent, name, {"memory.max", "pids.max"});
      }
    } else {
      for (const auto& [controller, file] :
           {std::pair("memory", "memory.limit_in_bytes"), std::pair("pids", "pids.max")}) {
        if (hierarchy.controllers.find("," + std::string(controller) + ",") == std::string::npos) continue;
        group = make_group(hierarchy.mount / own_group(controller), name, {file});
      }
    }
    if (group) folders_.push_back(*group);
  }
}

ControlGroup::~ControlGroup() {
  for (const fs::path& folder : folders_) {
    // The kernel takes a moment from the last process' end to the group's emptiness.
    for (int tries = 0; tries < 200 && ::rmdir(folder.c_str()) != 0 && errno == EBUSY; ++tries)
      ::usleep(1000);
  }
}

std::vector<std::string> ControlGroup::doors() const {
  std::vector<std::string> doors;
  for (const fs::path& folder : folders_) doors.push_back(folder / "cgroup.procs");
  return doors;
}

bool ControlGroup::holds(int process) const {
  for (const fs::path& folder : folders_) {
    std::istringstream numbers(read_text(folder / "cgroup.procs"));
    bool found = false;
    for (int number = 0; !found && numbers >> number;) found = number == process;
    if (!found) return false;
  }
  return exists();
}

void ControlGroup::limit(std::int64_t memory_bytes, int processes) const {
  for (const fs::path& folder : folders_) {
    for (const char* file : {"memory.max", "memory.limit_in_bytes"}) {
      set(folder / file, std::to_string(memory_bytes));
    }
    set(folder / "memory.swap.max", "0");
    set(folder / "pids.max", std::to_string(processes));
  }
}

std::int64_t ControlGroup::kills() const {
  for (const fs::path& folder : folders_) {
    for (const char* file : {"memory.events", "memory.oom_control"}) {
      std::istringstream words(read_text(folder / file));
      for (std::string word; words >> word;) {
        std::int64_t count = 0;
        if (word == "oom_kill" && words >> count) return count;
      }
    }
  }
  return 0;
}

}  // namespace micius
