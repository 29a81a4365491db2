// Tests that work with processes that die.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace micius {

// Runs `work` in a child, which ends with its result, or 99 if it threw.
inline pid_t in_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  int status = 99;
  try {
    status = work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a child: %s\n", error.what());  // the parent sees the status
  }
  _exit(status);
}

// Its exit status, or -1 if a signal ended it.
inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline int kill_after(pid_t child, useconds_t us) {
  usleep(us);
  kill(child, SIGKILL);
  return wait_for(child);
}

}  // namespace micius
