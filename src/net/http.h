// An HTTP client for downloads and for APIs: many requests at once on one thread, keep-alive, HTTP/2 where
// the server has it, limits on everything a server can send or withhold.
//
//   HttpClient client({});
//   const HttpAnswer answer = fetch(client, {.url = "https://example.org/v1/models"});
//   if (!answer.result.failure && answer.head.status == 200) use(answer.body);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

struct HttpHeader {
  std::string name, value;
};

// What an answer begins with. Names of headers are in lower case, in the order of arrival.
struct HttpHead {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string url;  // the one that answered, after redirects

  // The first of that (lower-case) name.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpLimits {
  std::chrono::milliseconds connect{10'000};  // name, TCP and TLS
  // A transfer ends that gets no byte for so long, or in two such spans less than a byte a second.
  std::chrono::milliseconds idle{120'000};
  std::optional<std::chrono::milliseconds> total{};
  std::uint64_t body_bytes = std::uint64_t{64} << 20;  // after decompression
  std::size_t head_bytes = std::size_t{64} << 10;  // of all heads of one request: 1xx, redirects, trailers
};

enum class HttpRedirects {
  kRefuse,  // a 3xx is an answer as any other
  kFollow,  // up to 10; never from https to http
};

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};                  // http:// or https://
  std::vector<HttpHeader> headers = {};  // those that are secret too; none of them is ever logged
  std::string body = {};                 // not of a GET or HEAD; sent once where redirects are refused
  HttpLimits limits{};
  // A request that follows redirects must not carry secrets: its headers go to every host on the way. (User
  // and password of a URL stay with its host.)
  HttpRedirects redirects = HttpRedirects::kRefuse;
  bool compressed = true;  // take gzip and deflate; off where the bytes of a file are wanted
};

enum class HttpFailure {
  kUrl,          // not one that can be asked
  kResolve,      // no such host, or no name server
  kConnect,      // refused, unreachable or not in time
  kCertificate,  // the server is not who it should be
  kRedirect,     // too many, or to a place that is not followed
  kIdle,         // the server went silent
  kTotal,        // HttpLimits::total is over
  kDeadline,     // HttpSink::deadline() is over
  kTooLarge,     // more than HttpLimits allows
  kBroken,       // cut, not HTTP, or a length that disagrees
  kStopped,      // the sink wanted no more
  kCancelled,
};

struct HttpResult {
  std::optional<HttpFailure> failure;  // absent: the whole body came
  std::string message;  // one line for people, without header, query or body; "" if all is well
};

// Where one answer arrives, on the client's thread: on_head at most once, then on_body any number of times,
// then on_done exactly once. Must not throw or block for long. May start further requests.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  virtual bool on_head(const HttpHead& head) = 0;      // false ends the transfer with kStopped
  virtual bool on_body(std::string_view bytes) = 0;    // as on_head
  virtual void on_done(const HttpResult& result) = 0;  // the sink may be destroyed in it
  // When the answer is to have ended, beside the request's limits. Asked for at the start and after each call
  // of the first two, so that an answer which has begun may get more time, and one that is whole less.
  virtual std::optional<std::chrono::steady_clock::time_point> deadline() const { return std::nullopt; }
};

struct HttpOptions {
  std::string user_agent = "micius";
  std::string ca_file{};  // of certificates to trust, instead of the system's
};

// Proxies are the environment's: https_proxy, http_proxy, no_proxy, in either case (HTTP_PROXY not where
// REQUEST_METHOD is set: there it is a header of a foreign request). TLS is 1.2 or later and always verified.
class HttpClient {
 public:
  // Throws Error{kIo} where libcurl cannot be started.
  explicit HttpClient(const HttpOptions& options);
  ~HttpClient();  // cancels what is left and waits for its on_done
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // From any thread; returns at once. `sink` must live until its on_done was called.
  void start(HttpRequest request, HttpSink& sink);
  // Ends everything that was started so far with kCancelled, soon. From any thread.
  void cancel();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

struct HttpAnswer {
  HttpHead head;
  std::string body;
  HttpResult result;
};

// Asks and waits. Not to be called on the client's thread.
HttpAnswer fetch(HttpClient& client, HttpRequest request);

// The URL without user, password, query and fragment: safe to show.
std::string shown_url(std::string_view url);

// "connection broken" and the like, for messages and codes.
std::string_view http_failure_name(HttpFailure failure);

}  // namespace micius
