// Ctrl-C.
#pragma once

#include <stop_token>
#include <thread>

#include <signal.h>

namespace micius {

// While it lives, the first SIGINT or SIGTERM asks for a stop and the second ends the program as usual. A
// thread waits for the signals, so nothing runs inside a handler. Make it before any other thread: they
// inherit the blocked signals.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait();

  sigset_t signals_{}, before_{};
  std::stop_source source_;
  std::thread waiter_;
};

}  // namespace micius
