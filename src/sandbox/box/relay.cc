#include "sandbox/box/relay.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/box/usage.h"
#include "sandbox/served_socket.h"
#include "sandbox/wire_internal.h"

namespace micius {
namespace {

constexpr std::size_t kHead = 4;

std::size_t length_in(const std::string& frame) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kHead; ++i) {
    length |= std::size_t{static_cast<unsigned char>(frame[i])} << (8 * i);
  }
  return length;
}

std::string frame_of(const std::string& text) {
  std::string frame;
  for (std::size_t i = 0; i < kHead; ++i) frame += static_cast<char>(text.size() >> (8 * i));
  return frame + text;
}

}  // namespace

void Relay::add_to(std::vector<pollfd>& waits) const {
  if (connections_.size() < kServedConnections) waits.push_back({listener_, POLLIN, 0});
  for (const auto& [id, connection] : connections_) {
    if (!connection.out.empty()) {
      waits.push_back({connection.fd, POLLOUT, 0});
    } else if (!connection.queued) {
      waits.push_back({connection.fd, POLLIN, 0});
    }
  }
}

void Relay::handle(const pollfd& event) {
  if (event.revents == 0) return;
  if (event.fd == listener_) return accept_all();
  const auto connection = std::find_if(connections_.begin(), connections_.end(),
                                       [&](const auto& one) { return one.second.fd == event.fd; });
  if (connection == connections_.end()) return;
  if (connection->second.out.empty()) {
    receive(connection);
  } else {
    send(connection);
  }
}

void Relay::accept_all() {
  while (connections_.size() < kServedConnections) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    ucred caller{};
    socklen_t size = sizeof caller;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &size) != 0) caller.pid = 0;
    connections_.emplace(++last_, Connection{fd, caller.pid, {}, {}});
  }
}

Relay::Connections::iterator Relay::close(Connections::iterator connection) {
  ::close(connection->second.fd);
  return connections_.erase(connection);
}

void Relay::receive(Connections::iterator connection) {
  Connection& from = connection->second;
  char buffer[1 << 16];
  const ssize_t n = ::recv(from.fd, buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    close(connection);
    return;
  }
  from.in.append(buffer, static_cast<std::size_t>(n));
  if (from.in.size() < kHead) return;
  const std::size_t length = length_in(from.in);
  if (length > kServedMessageBytes) {
    close(connection);
  } else if (from.in.size() >= kHead + length) {
    if (++calls_ > kServedCalls) {
      close(connection);
      return;
    }
    from.queued = true;
    queue_.push_back(connection->first);
    ask_next();
  }
}

void Relay::ask_next() {
  while (asked_ == 0 && !queue_.empty()) {
    const auto next = connections_.find(queue_.front());
    queue_.pop_front();
    if (next == connections_.end()) continue;
    const std::size_t length = length_in(next->second.in);
    asked_ = next->first;
    // A lane that is broken shows where the harness' answers are read.
    send_wire(lane_, Wire::kCall,
              encode_served_call({std::string_view(next->second.in).substr(kHead, length),
                                  lineage_of(next->second.process)}));
    next->second.in.erase(0, kHead + length);
  }
}

void Relay::answer(const std::string& text) {
  const auto to = connections_.find(asked_);
  asked_ = 0;
  if (to != connections_.end()) {
    to->second.queued = false;
    to->second.out = frame_of(text);
    send(to);
  }
  ask_next();
}

void Relay::send(Connections::iterator connection) {
  Connection& to = connection->second;
  const ssize_t n = ::send(to.fd, to.out.data(), to.out.size(), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) {
    close(connection);
    return;
  }
  to.out.erase(0, static_cast<std::size_t>(n));
}

}  // namespace micius
