#include "net/fault_server.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

namespace micius {
namespace {

// Reads from one connection; keeps what came too much.
class Reader {
 public:
  explicit Reader(int socket) : socket_(socket) {}
  std::optional<std::string> until(std::string_view mark) {
    std::size_t found = 0;
    while ((found = buffer_.find(mark)) == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    return take(found + mark.size());
  }
  std::optional<std::string> exactly(std::size_t bytes) {
    while (buffer_.size() < bytes) {
      if (!more()) return std::nullopt;
    }
    return take(bytes);
  }

 private:
  bool more() {
    char block[65536];
    const ssize_t n = ::recv(socket_, block, sizeof block, 0);
    if (n <= 0) return false;
    buffer_.append(block, static_cast<std::size_t>(n));
    return true;
  }
  std::string take(std::size_t bytes) {
    std::string taken = buffer_.substr(0, bytes);
    buffer_.erase(0, bytes);
    return taken;
  }

  int socket_;
  std::string buffer_;
};

std::optional<SeenRequest> read_request(Reader& reader) {
  const std::optional<std::string> head = reader.until("\r\n\r\n");
  if (!head) return std::nullopt;
  SeenRequest request;
  bool first = true;
  for (const std::string_view line : split(*head, '\n')) {
    if (first) {
      const auto words = split_words(line);
      request.method = words.at(0);
      request.path = words.at(1);
      first = false;
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      request.headers[lower_ascii(line.substr(0, colon))] = strip(line.substr(colon + 1));
    }
  }
  if (const auto length = request.headers.find("content-length"); length != request.headers.end()) {
    const std::optional<std::string> body = reader.exactly(std::stoul(length->second));
    if (!body) return std::nullopt;
    request.body = *body;
  }
  return request;
}

}  // namespace

bool Exchange::send(std::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return !closed_;
}

void Exchange::head(int status, const std::vector<std::string>& headers) {
  std::string text = fmt::format("HTTP/1.1 {} Word\r\n", status);
  for (const std::string& header : headers) text += header + "\r\n";
  send(text + "\r\n");
}

void Exchange::answer(int status, const std::vector<std::string>& headers, std::string_view body) {
  std::string text = fmt::format("HTTP/1.1 {} Word\r\nContent-Length: {}\r\n", status, body.size());
  for (const std::string& header : headers) text += header + "\r\n";
  text += "\r\n";
  text += body;
  send(text);
}

void Exchange::pause(int ms) {
  pollfd gone{socket_, POLLRDHUP, 0};
  if (::poll(&gone, 1, ms) > 0) closed_ = true;
}

void Exchange::close() {
  closed_ = true;
  ::shutdown(socket_, SHUT_RDWR);
}

void Exchange::reset() {
  const linger hard{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  closed_ = true;
}

FaultServer::FaultServer(Handler handler, ModelList models) : handler_(std::move(handler)), models_(models) {
  ::setenv("no_proxy", "127.0.0.1,localhost", 1);  // whatever proxy the machine has
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 512) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no local socket");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

FaultServer::~FaultServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
  ::close(listener_);
}

std::string FaultServer::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<SeenRequest> FaultServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FaultServer::accept_all() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ++connections_;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void FaultServer::serve(int socket) {
  Reader reader(socket);
  while (auto request = read_request(reader)) {
    const std::string path = request->path.substr(0, request->path.find('?'));
    if (models_ == ModelList::kNone && request->method == "GET" && path.ends_with("/models")) {
      Exchange(socket, *std::move(request)).answer(404, {}, "{}");
      continue;
    }
    request->number = ++requests_;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(*request);
    }
    Exchange exchange(socket, *std::move(request));
    handler_(exchange);
    if (exchange.is_closed()) break;
  }
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, socket);
  ::close(socket);
}

}  // namespace micius
