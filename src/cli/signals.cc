#include "cli/signals.h"

namespace micius {

namespace {

constexpr int kWake = SIGUSR2;  // ends the waiting thread

}  // namespace

InterruptGuard::InterruptGuard() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, kWake}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  waiter_ = std::thread([this] { wait(); });
}

InterruptGuard::~InterruptGuard() {
  pthread_kill(waiter_.native_handle(), kWake);
  waiter_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void InterruptGuard::wait() {
  for (;;) {
    const int signal = sigwaitinfo(&signals_, nullptr);
    if (signal == kWake) return;
    if (signal < 0) continue;
    if (source_.stop_requested()) {
      ::signal(signal, SIG_DFL);
      pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
      ::raise(signal);
    }
    source_.request_stop();
  }
}

}  // namespace micius
