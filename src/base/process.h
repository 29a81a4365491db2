// Runs a trusted program of this machine (python3, git) and waits for it. Model output never comes near this:
// it runs in the sandbox.
#pragma once

#include <string>
#include <vector>

namespace micius {

struct ProcessResult {
  int exit_code;       // 128 + signal if a signal ended it
  std::string output;  // stdout and stderr together, the last 64 KiB
};

// argv[0] is looked up in PATH. Throws Error{kNotFound} if it cannot be run, Error{kIo} without a pipe.
ProcessResult run_process(const std::vector<std::string>& argv);

}  // namespace micius
