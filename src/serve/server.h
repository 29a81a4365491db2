// HTTP around the service: routes, keys, limits on what a client can send or withhold, graceful stop.
//
//   ApiServer server(service, {.port = 0});   // listens now
//   server.run();                             // until another thread calls server.stop()
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "serve/service.h"

namespace micius {

struct ConnectionLimits {
  std::chrono::milliseconds idle{30'000};   // between two requests
  std::chrono::milliseconds head{10'000};   // for all of a request's head
  std::chrono::milliseconds body{60'000};   // and for all of its body
  std::chrono::milliseconds write{30'000};  // in which the client takes a byte
  std::size_t head_bytes = std::size_t{64} << 10;
  std::size_t body_bytes = std::size_t{16} << 20;
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;               // 0: a free one
  std::string key{};             // what clients must send; empty: nothing. /health needs none
  std::size_t connections = 96;  // served at once; others wait, and idle ones make room
  ConnectionLimits limits{};
};

class ApiServer {
 public:
  // Throws Error{kIo} if it cannot listen there. Borrows the service.
  ApiServer(Service& service, ServerOptions options);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  int port() const;
  void run();
  // From now on requests are refused with 503; run() returns when those that were begun have ended. From any
  // thread, also before run(); returns when run() need not wait for anything but closing connections.
  void stop();

 private:
  class Http;
  std::unique_ptr<Http> http_;
};

}  // namespace micius
