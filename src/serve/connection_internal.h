// One client's connection under the HTTP library: every wait has an end, whatever the client does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <httplib.h>
#include <string>

#include "serve/reply.h"
#include "serve/server.h"

namespace micius {

// Of one thread; is_gone() may be asked by others.
class ClientConnection final : public httplib::Stream, public Caller {
 public:
  // Borrows the socket and all else. Where `stopping` is set, only answers go on.
  ClientConnection(int socket, const ConnectionLimits& limits, const std::atomic<bool>& stopping);

  // Waits for the first byte of a request; false if none comes, or none is to be waited for. `is_crowded`
  // says that others wait for this one's thread.
  bool await_request(const std::function<bool()>& is_crowded);
  void begin_body();
  void begin_answer();
  // Ends the connection so that the client can read what was written, though it may still be sending.
  void close_gently();

  bool is_broken() const { return is_broken_; }  // a read failed: what comes next is no request

  bool is_gone() const override;

  // Fails when the time or the bytes of the head or body are used up.
  ssize_t read(char* bytes, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  bool is_readable() const override;
  bool is_writable() const override { return !is_gone(); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  using Time = std::chrono::steady_clock;
  enum class Phase { kIdle, kHead, kBody, kAnswer };

  void allow(Phase phase, std::chrono::milliseconds time, std::size_t bytes);
  bool fill();  // the buffer, before the deadline

  const int socket_;
  const ConnectionLimits& limits_;
  const std::atomic<bool>& stopping_;
  Phase phase_ = Phase::kIdle;
  Time::time_point deadline_{};
  std::size_t bytes_left_ = 0;
  std::string buffer_;  // received
  bool is_broken_ = false;
  std::size_t taken_ = 0;  // of it
};

}  // namespace micius
