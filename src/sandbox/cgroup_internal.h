// A control group for one lane, where this user may make one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace micius {

// Groups of cgroup v2, or of the v1 hierarchies `memory` and `pids`. Removed with the object, whose processes
// must have ended by then.
class ControlGroup {
 public:
  // Where none can be had, an object with no groups. `name` is the last part of their paths.
  explicit ControlGroup(const std::string& name);
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  bool exists() const { return !folders_.empty(); }
  // The files to which a process writes "0" to be in it.
  std::vector<std::string> doors() const;
  bool holds(int process) const;  // each of them
  void limit(std::int64_t memory_bytes, int processes) const;
  std::int64_t kills() const;  // how often the kernel ended a process for want of memory

 private:
  std::vector<std::filesystem::path> folders_;
};

}  // namespace micius
