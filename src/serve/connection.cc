#include <algorithm>
#include <cerrno>
#include <poll.h>

#include <sys/socket.h>

#include "serve/connection_internal.h"

namespace micius {
namespace {

constexpr std::chrono::milliseconds kLook{50};  // between two looks at what else could end a wait
constexpr std::chrono::milliseconds kLinger{1000};
constexpr std::size_t kLingerBytes = std::size_t{32} << 20;

// Waits for one of `events`, at most until `end` and one look.
bool wait_for(int socket, short events, std::chrono::steady_clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  pollfd poller{socket, events, 0};
  const auto wait = std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0), kLook);
  return ::poll(&poller, 1, static_cast<int>(wait.count())) > 0;
}

}  // namespace

ClientConnection::ClientConnection(int socket, const ConnectionLimits& limits,
                                   const std::atomic<bool>& stopping)
    : socket_(socket), limits_(limits), stopping_(stopping) {}

bool ClientConnection::await_request(const std::function<bool()>& is_crowded) {
  allow(Phase::kIdle, limits_.idle, limits_.head_bytes);
  while (taken_ == buffer_.size()) {
    if (stopping_ || is_crowded() || Time::now() >= deadline_) return false;
    if (wait_for(socket_, POLLIN, deadline_) && !fill()) return false;
  }
  allow(Phase::kHead, limits_.head, limits_.head_bytes);
  return true;
}

void ClientConnection::begin_body() { allow(Phase::kBody, limits_.body, 2 * limits_.body_bytes); }

void ClientConnection::begin_answer() { allow(Phase::kAnswer, limits_.body, 2 * limits_.body_bytes); }

void ClientConnection::allow(Phase phase, std::chrono::milliseconds time, std::size_t bytes) {
  phase_ = phase;
  deadline_ = Time::now() + time;
  bytes_left_ = bytes;
}

bool ClientConnection::fill() {
  constexpr std::size_t kBytes = 16384;
  while (Time::now() < deadline_ && (phase_ == Phase::kAnswer || !stopping_)) {
    if (!wait_for(socket_, POLLIN, deadline_)) continue;
    buffer_.resize(kBytes);
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    const int error = errno;
    buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    taken_ = 0;
    if (count > 0) return true;
    if (count == 0 || (error != EAGAIN && error != EINTR)) return false;
  }
  return false;
}

ssize_t ClientConnection::read(char* bytes, std::size_t size) {
  is_broken_ = is_broken_ || bytes_left_ == 0 || (taken_ == buffer_.size() && !fill());
  if (is_broken_) return -1;
  const std::size_t count = std::min({size, buffer_.size() - taken_, bytes_left_});
  std::copy_n(buffer_.data() + taken_, count, bytes);
  taken_ += count;
  bytes_left_ -= count;
  return static_cast<ssize_t>(count);
}

// All or nothing: the library does not send the rest of a body of which a part was taken.
ssize_t ClientConnection::write(const char* bytes, std::size_t size) {
  auto end = Time::now() + limits_.write;
  for (std::size_t sent = 0; sent < size;) {
    const ssize_t count = ::send(socket_, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      end = Time::now() + limits_.write;
      continue;
    }
    if ((errno != EAGAIN && errno != EINTR) || Time::now() >= end) return -1;
    wait_for(socket_, POLLOUT, end);
  }
  return static_cast<ssize_t>(size);
}

bool ClientConnection::is_gone() const {
  pollfd poller{socket_, POLLRDHUP, 0};
  return ::poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool ClientConnection::is_readable() const {
  return taken_ < buffer_.size() || wait_for(socket_, POLLIN, deadline_);
}

void ClientConnection::close_gently() {
  ::shutdown(socket_, SHUT_WR);
  // Bytes that are not read when a socket is closed make a reset, which can overtake the answer.
  char bytes[4096];
  const auto end = Time::now() + kLinger;
  for (std::size_t read = 0; read < kLingerBytes && Time::now() < end && !stopping_;) {
    if (!wait_for(socket_, POLLIN, end)) continue;
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count <= 0) return;
    read += static_cast<std::size_t>(count);
  }
}

// Nothing asks for addresses: they are neither logged nor shown.
void ClientConnection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void ClientConnection::get_local_ip_and_port(std::string& ip, int& port) const {
  get_remote_ip_and_port(ip, port);
}

}  // namespace micius
