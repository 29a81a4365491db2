// An HTTP server of one test, on sockets of its own, so that it can break every rule.
//
//   FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, "hello"); });
//   fetch(client, {.url = server.url("/x")});
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace micius {

struct SeenRequest {
  std::string method, path, body;
  std::map<std::string, std::string> headers;  // names in lower case
  int number = 0;                              // from 1, over all connections
};

// One request and its connection. Used in the connection's own thread.
class Exchange {
 public:
  Exchange(int socket, SeenRequest asked) : request(std::move(asked)), socket_(socket) {}

  const SeenRequest request;

  // Status line, headers, Content-Length, body. The connection goes on.
  void answer(int status, const std::vector<std::string>& headers, std::string_view body);
  // Bytes as they are; false once the other side is gone.
  bool send(std::string_view bytes);
  void head(int status, const std::vector<std::string>& headers);
  void pause(int ms);  // or until the other side is gone
  // Ends the connection: a FIN, or a reset that throws away what was not read.
  void close();
  void reset();
  bool is_closed() const { return closed_; }

 private:
  int socket_;
  bool closed_ = false;
};

// Who answers GET ../models, which runners ask before anything else.
enum class ModelList {
  kNone,       // nobody: 404, which is neither seen nor counted
  kByHandler,  // as any other request
};

class FaultServer {
 public:
  using Handler = std::function<void(Exchange&)>;  // called in many threads at once
  explicit FaultServer(Handler handler, ModelList models = ModelList::kNone);
  ~FaultServer();  // ends every connection
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  std::string url(const std::string& path) const;
  int port() const { return port_; }
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  std::vector<SeenRequest> seen() const;

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  const ModelList models_;
  int listener_ = -1, port_ = 0;
  std::atomic<int> requests_{0}, connections_{0};
  mutable std::mutex mutex_;  // of the three below
  std::vector<SeenRequest> seen_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace micius
