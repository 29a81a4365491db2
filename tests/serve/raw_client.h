// A client on a socket of its own, so that it can break every rule.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace micius {

struct RawAnswer {
  int status = 0;  // 0: there was none
  std::string head, body;
};

class RawClient {
 public:
  explicit RawClient(int port);  // connects to this machine
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool send(std::string_view bytes);
  // All bytes until the server ends the connection, or `limit` is over.
  std::string read_all(std::chrono::milliseconds limit = std::chrono::seconds(20));
  std::string read_until(std::string_view mark, std::chrono::milliseconds limit = std::chrono::seconds(20));
  // One answer with a Content-Length.
  RawAnswer read_answer();
  void close();
  bool is_closed_by_server(std::chrono::milliseconds limit);
  void take_little();  // a small window, to be called before anything is sent

 private:
  bool more(std::chrono::steady_clock::time_point end);

  int socket_;
  std::string buffer_;
};

// A request with a body, as a well-behaved client sends it.
std::string post(std::string_view path, std::string_view body, std::string_view headers = "");
// Asks over a connection of its own.
RawAnswer ask(int port, std::string_view request);

}  // namespace micius
