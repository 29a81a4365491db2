#include "sandbox/box/supervise.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <poll.h>
#include <string_view>

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/box/job_files.h"
#include "sandbox/box/program.h"
#include "sandbox/box/relay.h"
#include "sandbox/box/setup.h"
#include "sandbox/box/usage.h"
#include "sandbox/wire_internal.h"

namespace micius {
namespace {

using Time = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{20};
// What the program left running may end by itself: `> >(tee log)` of a shell does.
constexpr milliseconds kAfterglow{200};
// A program that prints more than this beyond what is kept meets a closed pipe, so that `yes` ends at once
// and a chatty program ends as it would.
constexpr std::int64_t kThrownAway = 64 << 20;

class Capture {
 public:
  Capture(int fd, std::int64_t keep) : fd_(fd), keep_(keep) {}
  int fd() const { return fd_; }

  void read_some() {
    char buffer[1 << 16];
    const ssize_t n = ::read(fd_, buffer, sizeof buffer);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return close();
    const std::int64_t room = keep_ - static_cast<std::int64_t>(text_.size());
    const std::int64_t kept = std::min<std::int64_t>(n, room);
    text_.append(buffer, static_cast<std::size_t>(kept));
    lost_ += n - kept;
    if (lost_ > kThrownAway) close();
  }
  // For when nobody writes any more.
  void read_rest() {
    for (std::size_t had = SIZE_MAX; fd_ >= 0 && had != text_.size() + static_cast<std::size_t>(lost_);) {
      had = text_.size() + static_cast<std::size_t>(lost_);
      read_some();
    }
    close();
  }
  bool is_cut() const { return lost_ > 0; }
  std::string take() { return std::move(text_); }

 private:
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  int fd_;
  std::int64_t keep_, lost_ = 0;
  std::string text_;
};

// Texts by which a program that was given no more memory says so, as a failed allocation leaves no other
// trace.
bool says_no_memory(const std::string& err) {
  const std::string_view end = std::string_view(err).substr(err.size() > 4096 ? err.size() - 4096 : 0);
  constexpr std::array<std::string_view, 5> kWords = {
      "MemoryError", "Cannot allocate memory", "cannot allocate", "memory exhausted", "std::bad_alloc"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view words) { return end.find(words) != std::string_view::npos; });
}

class Supervisor {
 public:
  Supervisor(const ExecRequest& request, int lane) : request_(request), lane_(lane) {}
  ExecResult run(const std::string& filter);

 private:
  void wait_for_events(milliseconds most);
  void feed();
  void hear_harness();
  void reap();
  void check_limits(Time::time_point now);
  void watch();
  void end_all();
  ExecResult result(Time::time_point started);

  const ExecRequest& request_;
  const int lane_;
  Program program_{};
  std::optional<Relay> relay_;
  std::optional<Capture> out_, err_;
  std::size_t fed_ = 0;
  int child_signals_ = -1;
  Time::time_point deadline_, next_tick_;
  std::optional<int> status_;  // of the program, as wait() gives it
  std::int64_t peak_bytes_ = 0;
  bool alone_ = false, timed_out_ = false, out_of_memory_ = false;
};

void Supervisor::feed() {
  const std::string& text = request_.stdin_text;
  const ssize_t n = ::write(program_.in, text.data() + fed_, text.size() - fed_);
  if (n > 0) fed_ += static_cast<std::size_t>(n);
  if ((n < 0 && errno != EAGAIN && errno != EINTR) || fed_ == text.size()) {
    ::close(program_.in);
    program_.in = -1;
  }
}

void Supervisor::hear_harness() {
  const std::optional<WireMessage> message = receive_wire(lane_);
  if (!message || message->kind != Wire::kAnswer || !relay_) ::_exit(1);
  relay_->answer(message->body);
}

void Supervisor::reap() {
  signalfd_siginfo info;
  while (::read(child_signals_, &info, sizeof info) > 0) {
  }
  for (;;) {
    int status = 0;
    rusage used{};
    const pid_t pid = ::wait4(-1, &status, WNOHANG, &used);
    if (pid < 0) alone_ = errno == ECHILD;
    if (pid <= 0) return;
    if (pid != program_.pid) continue;
    status_ = status;
    peak_bytes_ = std::int64_t{used.ru_maxrss} * 1024;
  }
}

void Supervisor::wait_for_events(milliseconds most) {
  std::vector<pollfd> waits = {{lane_, POLLIN, 0}, {child_signals_, POLLIN, 0}};
  if (out_->fd() >= 0) waits.push_back({out_->fd(), POLLIN, 0});
  if (err_->fd() >= 0) waits.push_back({err_->fd(), POLLIN, 0});
  if (program_.in >= 0) waits.push_back({program_.in, POLLOUT, 0});
  const std::size_t own = waits.size();
  if (relay_) relay_->add_to(waits);
  if (::poll(waits.data(), waits.size(), static_cast<int>(most.count())) <= 0) return;
  for (std::size_t i = 0; i < waits.size(); ++i) {
    if (waits[i].revents == 0) continue;
    if (i >= own) {
      relay_->handle(waits[i]);
    } else if (i == 0) {
      hear_harness();
    } else if (i == 1) {
      reap();
    } else if (waits[i].fd == program_.in) {
      feed();
    } else {
      (waits[i].fd == out_->fd() ? *out_ : *err_).read_some();
    }
  }
}

void Supervisor::check_limits(Time::time_point now) {
  timed_out_ = now >= deadline_;
  if (now < next_tick_) return;
  next_tick_ = now + kTick;
  const Usage usage = usage_of_all();
  timed_out_ = timed_out_ || usage.cpu >= request_.limits.cpu;
  const std::int64_t most = request_.limits.memory_bytes;
  out_of_memory_ = usage.memory_bytes > most && exact_memory_of_all() > most;
}

void Supervisor::watch() {
  while (!status_ && !timed_out_ && !out_of_memory_) {
    const auto now = Time::now();
    const auto next = std::min(deadline_, next_tick_);
    wait_for_events(std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - now)));
    if (!status_) check_limits(Time::now());
  }
  const auto end = std::min(deadline_, Time::now() + kAfterglow);
  while (status_ && !alone_ && Time::now() < end) {
    wait_for_events(milliseconds(5));
    reap();
  }
}

void Supervisor::end_all() {
  ::kill(-1, SIGKILL);
  int status = 0;
  for (;;) {
    rusage used{};
    const pid_t pid = ::wait4(-1, &status, 0, &used);
    if (pid < 0 && errno == ECHILD) break;
    if (pid == program_.pid) status_ = status;
  }
  if (program_.in >= 0) ::close(program_.in);
  out_->read_rest();
  err_->read_rest();
  if (!relay_) return;
  relay_->ask_no_more();
  if (relay_->is_waiting()) hear_harness();  // else the next box would take the answer for its request
}

ExecResult Supervisor::result(Time::time_point started) {
  ExecResult result;
  result.wall = Time::now() - started;
  const int status = status_.value_or(SIGKILL);
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
    result.exit_code = 128 + WTERMSIG(status);
  } else {
    result.exit_code = WEXITSTATUS(status);
  }
  result.truncated = out_->is_cut() || err_->is_cut();
  result.out = out_->take();
  result.err = err_->take();
  result.timed_out = timed_out_ || result.signal == SIGXCPU;
  const bool near_the_limit = peak_bytes_ > request_.limits.memory_bytes / 4 * 3;
  result.out_of_memory = out_of_memory_ || (result.exit_code != 0 && !result.timed_out &&
                                            (near_the_limit || says_no_memory(result.err)));
  ChangedFiles changed = changed_files(request_.files, request_.limits.changed_bytes);
  result.files = std::move(changed.files);
  result.truncated = result.truncated || !changed.whole;
  return result;
}

ExecResult Supervisor::run(const std::string& filter) {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  child_signals_ = ::signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
  if (child_signals_ < 0) refuse("signalfd");

  if (request_.python) show_python();
  size_folders(request_.limits.file_bytes);
  lay_files(request_.files);
  if (request_.served) relay_.emplace(open_served_socket(request_.served->names), lane_);
  keep_few_capabilities();

  const auto started = Time::now();
  deadline_ = started + request_.limits.wall;
  next_tick_ = started + kTick;
  program_ = start_program(request_, filter);
  out_.emplace(program_.out, request_.limits.output_bytes);
  err_.emplace(program_.err, request_.limits.output_bytes);
  watch();
  end_all();
  return result(started);
}

}  // namespace

ExecResult supervise(const ExecRequest& request, const std::string& filter, int lane) {
  return Supervisor(request, lane).run(filter);
}

}  // namespace micius
