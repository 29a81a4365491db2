// micius-box: the first process of the sandbox that bubblewrap made. It keeps one box ready, a fork in
// namespaces of its own, that takes one request from the harness, answers it and ends; then comes the next.
// So every request finds a clean box that was made before it came, and the slow part, bubblewrap's, is done
// once.
#include <cerrno>
#include <exception>
#include <optional>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/box/setup.h"
#include "sandbox/box/supervise.h"
#include "sandbox/wire_internal.h"

namespace micius {
namespace {

constexpr int kLane = 3;  // the socket to the harness

// The life of one box. It may use the lane once `go` ends, when the box before it is gone.
int live_in_box(int go, const std::string& filter) {
  try {
    set_up_box();
    char none;
    while (::read(go, &none, 1) < 0 && errno == EINTR) {
    }
    ::close(go);
    const std::optional<WireMessage> message = receive_wire(kLane);
    if (!message) return 1;
    const std::optional<ExecRequest> request =
        message->kind == Wire::kRequest ? decode_request(message->body) : std::nullopt;
    if (!request || request->argv.empty()) {
      send_wire(kLane, Wire::kFailure, "a request that cannot be read");
      return 1;
    }
    return send_wire(kLane, Wire::kResult, encode_result(supervise(*request, filter, kLane))) ? 0 : 1;
  } catch (const std::exception& error) {
    send_wire(kLane, Wire::kFailure, error.what());
    return 1;
  }
}

struct Box {
  int pid;
  int go;  // closing it lets the box begin
};

Box make_box(const std::string& filter) {
  int go[2];
  if (::pipe2(go, O_CLOEXEC) != 0) refuse("pipe");
  const int pid = fork_into_box();
  if (pid < 0) refuse("no namespaces for a box");
  if (pid == 0) {
    ::close(go[1]);
    ::_exit(live_in_box(go[0], filter));
  }
  ::close(go[0]);
  return {pid, go[1]};
}

// While another box is at work, whose end may free what this one lacks; the lane is not ours to complain on.
std::optional<Box> make_box_early(const std::string& filter) {
  try {
    return make_box(filter);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool ended_well(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void make_boxes() {
  const std::optional<WireMessage> hello = receive_wire(kLane);
  if (!hello || hello->kind != Wire::kHello) return;
  ::fcntl(kLane, F_SETFD, FD_CLOEXEC);
  Box next = make_box(hello->body);
  send_wire(kLane, Wire::kReady, "");
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, 2);
  for (;;) {
    const Box now = next;
    ::close(now.go);
    const std::optional<Box> early = make_box_early(hello->body);
    if (!ended_well(now.pid)) return;
    next = early ? *early : make_box(hello->body);
  }
}

}  // namespace
}  // namespace micius

// Its end is the end of all that lives in the sandbox.
int main() {
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(022);  // what laid files look like must not depend on who started the harness
  try {
    micius::make_boxes();
  } catch (const std::exception& error) {
    micius::send_wire(micius::kLane, micius::Wire::kFailure, error.what());
  }
  return 1;
}
