#include "base/frames.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <sys/socket.h>

namespace micius {
namespace {

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool receive_all(int socket, char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::recv(socket, bytes, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

bool write_frame(int socket, std::string_view message) {
  if (message.size() > UINT32_MAX) return false;
  std::array<char, 4> head;
  for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<char>(message.size() >> (8 * i));
  return send_all(socket, {head.data(), head.size()}) && send_all(socket, message);
}

std::optional<std::string> read_frame(int socket, std::size_t most) {
  std::array<char, 4> head;
  if (!receive_all(socket, head.data(), head.size())) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    size |= std::size_t{static_cast<unsigned char>(head[i])} << (8 * i);
  }
  if (size > most) return std::nullopt;
  std::string message;
  // Grown as the bytes come: a length alone costs the reader no memory.
  while (message.size() < size) {
    const std::size_t had = message.size();
    message.resize(std::min(size, had + (std::size_t{1} << 16)));
    if (!receive_all(socket, message.data() + had, message.size() - had)) return std::nullopt;
  }
  return message;
}

}  // namespace micius
