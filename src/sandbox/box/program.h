// Starts the program of a request.
#pragma once

#include <string>

#include "core/sandbox.h"

namespace micius {

struct Program {
  int pid;
  int in, out, err;  // our ends of its pipes, which never block; `in` is -1 where it reads nothing
};

// With the request's limits, environment and the seccomp filter; all that is inherited is its three pipes.
// Throws std::runtime_error. A program that is not there says so on `err` and ends with 127 or 126, as in a
// shell.
Program start_program(const ExecRequest& request, const std::string& filter);

}  // namespace micius
