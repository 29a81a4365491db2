// How fast one endpoint may be asked: adaptive concurrency, token buckets, waits that the server asks for,
// and a circuit breaker. Time is passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "net/http.h"
#include "net/waits.h"

namespace micius {

struct GovernorOptions {
  std::size_t concurrency = 64;       // at most
  std::size_t first_concurrency = 4;  // to begin with
  std::optional<double> requests_per_minute{}, tokens_per_minute{};
};

// Additive up, multiplicative down: one more lane a kSuccessesPerLane answers, half of them (at least one) at
// a 429, 503 or 529, at most once a second. Not safe for several threads at once.
class Governor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Governor(const GovernorOptions& options, Time now);

  // When a request of about `tokens` may go: not after `now` if it may go at once, Time::max() if only once
  // another one has ended.
  Time earliest(Time now, double tokens);
  void sent(Time now, double tokens);

  // One of these for each request that was sent.
  void succeeded(Time now);
  void failed(Time now);    // tells nothing of how busy the endpoint is
  void was_busy(Time now);  // a 429, 503 or 529
  void ended();             // neither good nor bad: refused, cancelled

  // Nothing goes before `until`.
  void hold(Time until);
  // What the answer's x-ratelimit-* headers say of the requests and tokens that are left.
  void learn(const HttpHead& head, Time now, double tokens);

  // kFailuresToStop failures in a row over at least a minute, without a success between.
  bool is_dead(Time now) const;
  std::size_t lanes() const { return lanes_; }
  std::size_t in_flight() const { return in_flight_; }

  static constexpr std::size_t kSuccessesPerLane = 20, kFailuresToStop = 20;

 private:
  // Fills steadily and holds what comes in half a second, so that a server that lets a second's worth come at
  // once refuses nothing that was a little late or early. A request larger than that takes it into debt.
  class Bucket {
   public:
    Bucket(std::optional<double> per_minute, Time now);
    Time earliest(Time now, double amount);
    void take(double amount) { level_ -= amount; }

   private:
    std::optional<double> per_second_;
    double capacity_ = 0, level_ = 0;
    Time filled_;
  };

  void note_failure(Time now);

  const std::size_t most_lanes_;
  std::size_t lanes_, in_flight_ = 0, successes_ = 0, failures_in_a_row_ = 0;
  Bucket requests_, tokens_;
  Time not_before_, halved_, first_failure_;
};

}  // namespace micius
