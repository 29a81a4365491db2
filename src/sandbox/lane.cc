#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "sandbox/lane_internal.h"
#include "sandbox/served_socket.h"
#include "sandbox/system_internal.h"
#include "sandbox/wire_internal.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

constexpr uid_t kNobody = 65534;
constexpr milliseconds kStart{20'000};
// What collecting the files of a request may take longer than its limit, on a machine under load.
constexpr milliseconds kPatience{30'000};
constexpr std::int64_t kOwnMemory = 64 << 20;  // of bubblewrap, two boxes and the kernel, in a control group
constexpr int kOwnProcesses = 8;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int open_program(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fail(ErrorCode::kNotFound, "{}: {}; build or install micius again", path.string(), std::strerror(errno));
  }
  return fd;
}

// What the child needs, made before the fork: between fork and exec of a program with threads nothing may
// allocate.
struct Start {
  std::vector<std::string> words, doors;
  std::array<int, 6> descriptors;  // what becomes 0, 1, 2, ... of bubblewrap; negative: none
};

[[noreturn]] void become_bubblewrap(const Start& start, char* const* argv) {
  ::setsid();  // a Ctrl-C is for the harness, which may want to finish
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Away from the low numbers first, so that none is overwritten before it is moved.
  std::array<int, 6> moved = start.descriptors;
  for (int& fd : moved) {
    if (fd >= 0) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 16);
  }
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] >= 0) {
      ::dup2(moved[i], static_cast<int>(i));
    } else {
      ::close(static_cast<int>(i));
    }
  }
  if (::syscall(SYS_close_range, 6u, ~0u, 0u) != 0) ::_exit(121);
  for (const std::string& door : start.doors) {
    const int fd = ::open(door.c_str(), O_WRONLY | O_CLOEXEC);
    // Where a group cannot be entered, the limits of each process and the box's own watch stay.
    if (fd >= 0 && ::write(fd, "0", 1) == 1) ::close(fd);
  }
  if (::geteuid() == 0) {
    // The plain calls: glibc's would ask the threads that the fork left behind.
    if (::syscall(SYS_setgroups, 0, nullptr) != 0 ||
        ::syscall(SYS_setresgid, kNobody, kNobody, kNobody) != 0 ||
        ::syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0) {
      ::_exit(123);
    }
  }
  char* const no_environment[] = {nullptr};
  ::execve(argv[0], argv, no_environment);
  ::_exit(122);
}

std::string all_of(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; text.size() < 65536 && (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string exit_words(int pid) {
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status)) return "bubblewrap was killed";
  if (WEXITSTATUS(status) == 123) return "the user nobody (65534) cannot be taken on";
  if (WEXITSTATUS(status) == 121)
    return "what is open in this program cannot be closed for it (close_range): Linux 5.9 or newer is needed";
  if (WEXITSTATUS(status) == 122) return "bubblewrap cannot be run";
  return "bubblewrap ended with " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Lane::Lane(const LanePlan& plan, const std::string& name) : group_(name), counts_all_(plan.counts_all) {
  int lane[2], words[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lane) != 0) fail(ErrorCode::kIo, "no socket pair");
  Descriptor ours(lane[0]), theirs(lane[1]);
  if (::pipe2(words, O_CLOEXEC) != 0) fail(ErrorCode::kIo, "no pipe");
  Descriptor words_out(words[0]), words_in(words[1]);
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor box(open_program(plan.options.box_program));
  const bool has_client = !plan.options.client_program.empty();
  const Descriptor client(has_client ? open_program(plan.options.client_program) : -1);

  Start start;
  start.words = bubblewrap_arguments(plan.bubblewrap, plan.options.tools, 4, has_client ? 5 : -1);
  start.doors = group_.doors();
  start.descriptors = {nothing.get(), nothing.get(), words_in.get(), theirs.get(), box.get(), client.get()};
  std::vector<char*> argv;
  for (std::string& word : start.words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid == 0) become_bubblewrap(start, argv.data());
  if (pid < 0) fail(ErrorCode::kIo, "no process for the sandbox: {}", std::strerror(errno));
  theirs.reset();
  words_in.reset();
  socket_ = ours.get();
  wait_at_most(kStart);
  const bool greeted = send_wire(socket_, Wire::kHello, plan.filter);
  const std::optional<WireMessage> reply = greeted ? receive_wire(socket_) : std::nullopt;
  if (!reply || reply->kind != Wire::kReady) {
    const std::string ended = exit_words(pid), said = all_of(words_out.get());
    fail(ErrorCode::kIo, "the sandbox does not start: {}", reply ? reply->body : said.empty() ? ended : said);
  }
  pid_ = pid;
  in_group_ = group_.holds(pid);
  socket_ = ours.release();
}

Lane::~Lane() {
  ::close(socket_);
  ::kill(pid_, SIGKILL);  // bubblewrap takes its child with it
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Lane::wait_at_most(milliseconds time) const {
  const timeval limit{static_cast<time_t>(time.count() / 1000),
                      static_cast<suseconds_t>(time.count() % 1000 * 1000)};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Lane::Outcome Lane::run(const ExecRequest& request) {
  broken_ = true;  // until all has gone well
  const std::int64_t kills = group_.kills();
  if (group_.exists()) {
    group_.limit(request.limits.memory_bytes + 3 * request.limits.file_bytes + kOwnMemory,
                 request.limits.processes + kOwnProcesses);
  }
  Outcome outcome;
  if (counts_all_) {
    ExecRequest wider = request;
    wider.limits.processes += threads_of(::geteuid() == 0 ? kNobody : ::getuid());
    outcome = exchange(wider);
  } else {
    outcome = exchange(request);
  }
  broken_ = !outcome.result;
  if (group_.kills() == kills) return outcome;
  if (!outcome.result) {  // the kernel took the box with the program
    outcome.result.emplace();
    outcome.result->exit_code = 128 + SIGKILL;
    outcome.result->signal = SIGKILL;
  }
  outcome.result->out_of_memory = true;
  return outcome;
}

Lane::Outcome Lane::exchange(const ExecRequest& request) {
  Outcome outcome;
  outcome.why = "it ended in the middle of a request";
  wait_at_most(request.limits.wall + kPatience);
  if (!send_wire(socket_, Wire::kRequest, encode_request(request))) return outcome;
  while (std::optional<WireMessage> message = receive_wire(socket_)) {
    if (message->kind == Wire::kCall && request.served && outcome.calls < kServedCalls) {
      const std::optional<ServedCall> call = decode_served_call(message->body);
      if (!call) return outcome;
      ++outcome.calls;
      if (!send_wire(socket_, Wire::kAnswer, request.served->answer(*call))) return outcome;
      continue;
    }
    if (message->kind == Wire::kResult) outcome.result = decode_result(message->body);
    if (message->kind == Wire::kFailure) outcome.why = message->body;
    return outcome;
  }
  return outcome;
}

}  // namespace micius
