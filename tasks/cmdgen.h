// The task `cmdgen`: a request in plain words, one shell command as the answer.
#pragma once

#include "core/task.h"

namespace micius {

// The prompt names the machine (its profile's title) and, where the reference names a file, what lies in the
// start folder:
//
//   You write shell commands for a Linux machine with 8 NVIDIA H100 GPUs. The current folder holds a.cu,
//   build/. Answer with one command line and nothing else.
//
//   REQUEST
//
// TaskOptions::params: "prompt", "machine" (default, the above) or "bare" (the request alone, as in the
// paper). Shots are the first `dev` cases of the request's group. Throws Error{kUsage} for a parameter it
// does not know, Error{kNotFound} without the suite's folder.
Task make_cmdgen_task(const TaskOptions& options);

}  // namespace micius
