#include "serve/server.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "serve/connection_internal.h"
#include "serve/head_check.h"
#include "serve/threads_internal.h"

namespace micius {
namespace {

constexpr std::chrono::milliseconds kLook{
    100};  // how often a stream's thread looks whether its client is there
constexpr const char* kJson = "application/json";

void refuse(httplib::Response& response, const Refusal& refusal) {
  response.status = refusal.status();
  if (refusal.status() == 429) response.set_header("Retry-After", "1");
  response.set_content(dump_json(refusal.body()), kJson);
}

// What the library refuses by itself.
Refusal refusal_of_status(int status, const httplib::Request& request) {
  const std::string asked = shorten(visible_line(request.method + " " + request.path), 80);
  if (status == 404) {
    return {
        404, "invalid_request_error", "not_found", "",
        fmt::format("{} is not here; there are GET /health, GET /v1/models, POST /v1/chat/completions, POST "
                    "/v1/completions and POST /v1/embeddings",
                    asked)};
  }
  if (status >= 500) return {status, "server_error", "internal_error", "", asked + ": internal error"};
  return {status, "invalid_request_error", "bad_request", "",
          "the request is not whole, not HTTP, or larger than this server takes"};
}

}  // namespace

class ApiServer::Http final : public httplib::Server {
 public:
  Http(Service& service, ServerOptions options);
  ~Http() override;

  int port() const { return port_; }
  void run();
  void stop_gracefully();

 private:
  using Endpoint = ServedAnswer (Service::*)(std::string_view, const Caller&);
  // A request that is being answered; `request` is the library's.
  struct Exchange {
    ClientConnection& connection;
    const httplib::Request* request = nullptr;  // null until its head is read
    std::optional<Refusal> refusal{};
    bool is_answering = false;
  };

  void listen_there();
  void add_routes();
  bool process_and_close_socket(socket_t socket) override;
  bool serve_one(ClientConnection& connection);
  void begin(httplib::Request& request, Exchange& exchange);
  void begin_answer(Exchange& exchange);
  void end(const Exchange& exchange);
  Exchange& exchange_of(const httplib::Request& request);
  void answer(const httplib::Request& request, httplib::Response& response, Endpoint endpoint);
  void stream(httplib::Response& response, std::unique_ptr<EventStream> events, const Caller& caller);
  void close_listener();

  Service& service_;
  const ServerOptions options_;
  int port_ = 0;
  std::atomic<std::size_t> waiting_{0};  // connections without a thread
  std::atomic<bool> stopping_{false}, finished_{false};

  std::mutex mutex_;  // of what follows
  bool begun_ = false;
  std::size_t answering_ = 0;
  // The library hands its handlers the request and nothing else.
  std::map<const httplib::Request*, Exchange*> exchanges_;
};

ApiServer::Http::Http(Service& service, ServerOptions options)
    : service_(service), options_(std::move(options)) {
  new_task_queue = [this] {
    return std::make_unique<ConnectionThreads>(options_.connections, waiting_).release();  // it deletes it
  };
  // Its default lets two servers listen at one port.
  set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  set_tcp_nodelay(true);
  set_payload_max_length(options_.limits.body_bytes);
  set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(options_.limits.idle).count());
  add_routes();
  listen_there();
}

ApiServer::Http::~Http() {
  if (svr_sock_ != INVALID_SOCKET) ::close(svr_sock_);  // it never ran
}

void ApiServer::Http::listen_there() {
  port_ = options_.port == 0 ? bind_to_any_port(options_.host) : options_.port;
  if (port_ < 0 || (options_.port != 0 && !bind_to_port(options_.host, port_))) {
    fail(ErrorCode::kIo,
         "cannot listen on {} port {}; see that the address is this machine's and that no other program "
         "listens there, or give another --port (0: any)",
         options_.host, options_.port);
  }
  ::listen(svr_sock_, SOMAXCONN);  // the library lets five wait
}

void ApiServer::Http::add_routes() {
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    const std::optional<Refusal>& refusal = exchange_of(request).refusal;
    if (!refusal) return HandlerResponse::Unhandled;
    refuse(response, *refusal);
    return HandlerResponse::Handled;
  });
  set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty()) refuse(response, refusal_of_status(response.status, request));
  });
  set_exception_handler([](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
    refuse(response, refusal_of_status(500, request));
  });
  Get("/health", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(R"({"status":"ok"})", kJson);
  });
  Get("/v1/models", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(dump_json(service_.models()), kJson);
  });
  const std::pair<const char*, Endpoint> endpoints[] = {{"/v1/chat/completions", &Service::complete_chat},
                                                        {"/v1/completions", &Service::complete_text},
                                                        {"/v1/embeddings", &Service::embed}};
  for (const auto& [path, endpoint] : endpoints) {
    Post(path, [this, endpoint = endpoint](const httplib::Request& request, httplib::Response& response) {
      answer(request, response, endpoint);
    });
  }
}

bool ApiServer::Http::process_and_close_socket(socket_t socket) {
  ClientConnection connection(socket, options_.limits, stopping_);
  while (connection.await_request([this] { return waiting_ > 0; }) && serve_one(connection)) {
  }
  ::shutdown(socket, SHUT_RDWR);
  ::close(socket);
  return true;
}

// False if the connection is to be closed.
bool ApiServer::Http::serve_one(ClientConnection& connection) {
  Exchange exchange{connection};
  const bool is_last = stopping_;
  bool client_closes = false, goes_on = false;
  try {
    goes_on = process_request(connection, is_last, client_closes,
                              [&](httplib::Request& request) { begin(request, exchange); });
  } catch (const std::exception&) {
    // Out of memory in the middle of an answer: this connection alone ends.
  }
  end(exchange);
  if (exchange.request != nullptr && !exchange.refusal && !connection.is_broken())
    return goes_on && !is_last && !client_closes;
  if (goes_on) connection.close_gently();  // where its next request begins, nobody knows
  return false;
}

void ApiServer::Http::begin(httplib::Request& request, Exchange& exchange) {
  exchange.refusal = refusal_of_head(request, options_.key, options_.limits.body_bytes);
  // A body is bytes, whatever it is called; answers are neither cut into ranges nor compressed.
  for (const char* name : {"Content-Type", "Range", "Accept-Encoding"}) request.headers.erase(name);
  request.ranges.clear();
  if (exchange.refusal) {
    request.headers.erase("Connection");
    request.headers.erase("Expect");
    request.set_header("Connection", "close");
  }
  exchange.request = &request;
  exchange.connection.begin_body();
  const std::lock_guard lock(mutex_);
  exchanges_[&request] = &exchange;
}

void ApiServer::Http::begin_answer(Exchange& exchange) {
  exchange.connection.begin_answer();
  const std::lock_guard lock(mutex_);
  if (stopping_) throw Refusal(503, "server_error", "shutting_down", "", "this server is about to stop");
  ++answering_;
  exchange.is_answering = true;
}

void ApiServer::Http::end(const Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  exchanges_.erase(exchange.request);
  if (exchange.is_answering && --answering_ == 0 && stopping_) close_listener();
}

ApiServer::Http::Exchange& ApiServer::Http::exchange_of(const httplib::Request& request) {
  const std::lock_guard lock(mutex_);
  return *exchanges_.at(&request);
}

void ApiServer::Http::answer(const httplib::Request& request, httplib::Response& response,
                             Endpoint endpoint) {
  Exchange& exchange = exchange_of(request);
  try {
    begin_answer(exchange);
    ServedAnswer served = (service_.*endpoint)(request.body, exchange.connection);
    if (const auto* whole = std::get_if<Json>(&served)) response.set_content(dump_json(*whole), kJson);
    if (auto* events = std::get_if<std::unique_ptr<EventStream>>(&served))
      stream(response, std::move(*events), exchange.connection);
  } catch (const Refusal& refusal) {
    refuse(response, refusal);
  }
}

void ApiServer::Http::stream(httplib::Response& response, std::unique_ptr<EventStream> events,
                             const Caller& caller) {
  // Shared because the library wants a function that can be copied. All is written in one call: between two
  // calls the library would end the stream where the server stops.
  const auto write_all = [shared = std::shared_ptr<EventStream>(std::move(events)), &caller](
                             std::size_t, httplib::DataSink& sink) {
    while (!shared->ended()) {
      if (caller.is_gone()) return false;
      const std::optional<std::string> data = shared->next(kLook);
      if (!data) continue;
      const std::string event = "data: " + *data + "\n\n";
      if (!sink.write(event.data(), event.size())) return false;
    }
    sink.done();
    return true;
  };
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Accel-Buffering", "no");  // proxies that would hold it back
  response.set_chunked_content_provider("text/event-stream", write_all);
}

void ApiServer::Http::run() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    begun_ = true;
  }
  listen_after_bind();
  finished_ = true;
}

void ApiServer::Http::stop_gracefully() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (begun_ && answering_ == 0) close_listener();
}

// The library's stop() does nothing before its loop runs.
void ApiServer::Http::close_listener() {
  while (!is_running() && !finished_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  stop();
}

ApiServer::ApiServer(Service& service, ServerOptions options)
    : http_(std::make_unique<Http>(service, std::move(options))) {}

ApiServer::~ApiServer() = default;

int ApiServer::port() const { return http_->port(); }
void ApiServer::run() { http_->run(); }
void ApiServer::stop() { http_->stop_gracefully(); }

}  // namespace micius
