// One bubblewrap with its boxes: runs one request at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/sandbox.h"
#include "sandbox/cgroup_internal.h"
#include "sandbox/sandbox.h"

namespace micius {

// What every lane of a sandbox shares.
struct LanePlan {
  SandboxOptions options;
  std::filesystem::path bubblewrap;
  std::string filter;  // of seccomp_filter()
};

class Lane {
 public:
  // Starts bubblewrap; it ends with the thread that calls this. Throws Error{kIo} with bubblewrap's words.
  Lane(const LanePlan& plan, const std::string& name);
  ~Lane();  // ends everything in it
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Absent where the lane broke, after which it is of no more use. Throws Error{kIo} with the reason where
  // the sandbox says one, and passes on what `served->answer` throws; the lane is then broken as well.
  std::optional<ExecResult> run(const ExecRequest& request);
  bool is_broken() const { return broken_; }

 private:
  std::optional<ExecResult> exchange(const ExecRequest& request);
  void wait_at_most(std::chrono::milliseconds time) const;  // for each read from here on

  ControlGroup group_;
  int socket_ = -1, pid_ = -1;
  bool broken_ = false;
};

}  // namespace micius
