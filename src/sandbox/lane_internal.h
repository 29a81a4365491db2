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
  std::string filter;       // of seccomp_filter()
  bool counts_all = false;  // of counts_in_all_namespaces()
};

class Lane {
 public:
  // Starts bubblewrap; it ends with the thread that calls this. Throws Error{kIo} with bubblewrap's words.
  Lane(const LanePlan& plan, const std::string& name);
  ~Lane();  // ends everything in it
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  struct Outcome {
    std::optional<ExecResult> result;  // absent where the lane broke, after which it is of no more use
    std::string why;                   // and then the reason
    int calls = 0;                     // of served programs that were answered
  };
  // Passes on what `served->answer` throws; the lane is then broken as well.
  Outcome run(const ExecRequest& request);
  bool is_broken() const { return broken_; }
  bool is_in_group() const { return in_group_; }  // the control group of its own

 private:
  Outcome exchange(const ExecRequest& request);
  void wait_at_most(std::chrono::milliseconds time) const;  // for each read from here on

  ControlGroup group_;
  const bool counts_all_;
  int socket_ = -1, pid_ = -1;
  bool broken_ = false, in_group_ = false;
};

}  // namespace micius
