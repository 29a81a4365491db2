// Calls of one API endpoint: sent as fast as its governor allows, tried again where that may help, each ended
// exactly once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "net/governor.h"
#include "net/http.h"

namespace micius {

// One answer to one attempt. It came whole, or a reader has all of it that it wants: what did not is tried
// again without being judged.
struct ApiAnswer {
  HttpHead head;
  std::string body;
  int attempt = 1;
};

enum class ApiNext {
  kDone,
  kRetry,  // after a wait, if attempts are left
  kAgain,  // at once: the call has changed its request. Not counted
  kFail,   // this call will not succeed
  kStop,   // no call will: all that are waiting end with this verdict
};

struct ApiVerdict {
  ApiNext next = ApiNext::kDone;
  // Of the failure, now or once attempts are used up; of a kDone, why the attempt gave nothing.
  std::string code{}, message{};
  bool is_busy = false;                  // all others are to slow down
  std::optional<Seconds> wait{};         // that the server asks for
  std::string invalid_utf8_sha256 = {};  // ApiAttempt's
};

// One request that was sent, and what became of it.
struct ApiAttempt {
  std::chrono::steady_clock::time_point began, ended;
  int status = 0;                                 // of HTTP; 0: no answer came
  std::string code{}, message{};                  // "" where it was answered
  std::optional<Seconds> wait_asked{}, waited{};  // by the server; until the next attempt
  std::string request_id{};                       // the server's, or ""
  std::uint64_t bytes = 0;                        // of the answer's body
  std::string invalid_utf8_sha256{};              // of a body that was mended to be read: of its bytes
};

// How a call ended. A failure has a code and a message.
struct ApiEnd {
  ApiNext next = ApiNext::kDone;  // kDone, kFail or kStop
  std::string code{}, message{};
  int attempts = 0;
  std::vector<ApiAttempt> log{};  // every request of it that was sent and ended, in order
};

enum class ApiAdmit {
  kSend,
  kWait,  // for another attempt that is under way to end, or until `again`
  kStop,  // no call may go any more
};
struct ApiAdmission {
  ApiAdmit what = ApiAdmit::kSend;
  std::string code{}, message{};  // of a kStop
  std::optional<std::chrono::steady_clock::time_point> again{};
};

// What became of an attempt, as far as it may be billed.
enum class ApiLanding {
  kAnswered,  // it is judged next
  kLost,      // the server may have worked on it, but no whole answer came
  kNotSent,   // the server never had it
};

// Reads an answer while it comes, on the client's thread; between attempts it is the queue's thread's.
class ApiReader {
 public:
  virtual ~ApiReader() = default;
  // False: no more is wanted, and the call is to judge. Must not throw.
  virtual bool read(const HttpHead& head, std::string_view bytes) = 0;
  // Nothing that may still come changes the answer: a connection that ends now, however it does, is no fault.
  virtual bool is_whole() const = 0;
  virtual std::optional<std::chrono::steady_clock::time_point> deadline() const = 0;  // as HttpSink's
};

// One question. The queue owns it and calls it from its own thread alone.
class ApiCall {
 public:
  virtual ~ApiCall() = default;
  // Asked before each attempt; after a kSend, landed() says that the attempt has ended, before it is judged.
  virtual ApiAdmission admit() { return {}; }
  virtual void landed(ApiLanding) {}
  virtual HttpRequest request() = 0;  // of the next attempt
  // Of the attempt that request() has begun: gets the body instead of ApiAnswer. Must live until judge() or
  // the next request().
  virtual ApiReader* reader() { return nullptr; }
  virtual double tokens() const = 0;                      // about how many it takes of a limit
  virtual ApiVerdict judge(const ApiAnswer& answer) = 0;  // must not throw
  virtual void ended(const ApiEnd& end) = 0;              // once, the last call. Must not throw
};

struct ApiQueueOptions {
  GovernorOptions governor{};
  int retries = 7;                                                  // after the first attempt
  std::chrono::milliseconds first_wait{500}, longest_wait{60'000};  // full jitter
  Seconds longest_asked_wait{600};                                  // a longer one fails the call
  std::chrono::seconds call_limit{900};     // from its first attempt; none begins after it
  std::chrono::milliseconds grace{10'000};  // that requests under way have after cancel() or a stop
};

class ApiQueue {
 public:
  // `client` must outlive it and be this queue's alone. `place` ("https://api.example/v1") goes into
  // messages.
  ApiQueue(HttpClient& client, std::string place, const ApiQueueOptions& options);
  ~ApiQueue();  // cancels without grace and waits
  ApiQueue(const ApiQueue&) = delete;
  ApiQueue& operator=(const ApiQueue&) = delete;

  void add(std::vector<std::unique_ptr<ApiCall>> calls);
  void cancel();  // what waits ends with kFail and "cancelled", what is under way after the grace
  void drain();   // returns once every call has ended

 private:
  using Time = Governor::Time;
  class Flight;
  struct Pending {
    std::unique_ptr<ApiCall> call;
    Time began;  // its first attempt
    int attempts = 0, changes = 0;
    bool is_cancelled = false;
    std::vector<ApiAttempt> log = {};
  };

  void run();
  void begin(std::deque<Pending> added);
  void cancel_all(Time now);
  void judge(Flight& flight, Time now);
  static ApiAttempt attempt_of(const Flight& flight, const ApiVerdict& verdict);
  void settle(Pending pending, const ApiVerdict& verdict, Time now);
  void retry(Pending pending, const ApiVerdict& verdict, Time now);
  void send_due(Time now);
  void send(Pending pending, Time now);
  void stop(const ApiVerdict& verdict, Time now);
  void end_waiting(const ApiEnd& end);
  void end(Pending pending, ApiEnd end);
  Time next_wake(Time now);
  void landed(Flight& flight);  // on the client's thread

  HttpClient& client_;
  const std::string place_;
  const ApiQueueOptions options_;

  std::mutex mutex_;  // of the block below
  std::condition_variable changed_, drained_;
  std::deque<Pending> added_;
  std::deque<Flight*> landed_;
  std::size_t open_ = 0;  // calls that have not ended
  bool cancelling_ = false, closing_ = false;

  // Of the queue's thread alone.
  Governor governor_;
  Rng rng_;
  std::deque<Pending> ready_;
  std::multimap<Time, Pending> waiting_;
  std::map<Flight*, std::unique_ptr<Flight>> flights_;
  std::optional<ApiEnd> stopped_;
  std::optional<Time> cut_at_;
  bool is_held_ = false;  // the first that is ready waits for another to land, or until then:
  std::optional<Time> held_until_;
  std::thread thread_;
};

}  // namespace micius
