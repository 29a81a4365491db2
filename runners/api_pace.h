// When requests may go where several processes keep to a model's rate limits together.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "base/clock.h"
#include "core/shared_limits.h"

namespace micius {

// Draws places in the line of all processes, a few at a time, and keeps each for kKept: what is sent in any
// time T, by all of them together, is what the limits let go in T + kKept. For one thread.
class ApiPace {
 public:
  using Time = Clock::time_point;
  ApiPace(SharedLimits& limits, const Clock& clock)
      : limits_(limits), clock_(clock) {}  // both must outlive it

  // When a request of about `tokens` may go; not after `now`: at once.
  Time earliest(Time now, double tokens);
  void sent(double tokens);  // takes the places that earliest() found

  static constexpr std::chrono::milliseconds kKept{1000};

 private:
  // `amount` of requests or tokens, from `at` on, drawn together with others that go from `both_at` on.
  struct Places {
    Time at, both_at;
    double amount;
  };
  bool drop_old(Time now);
  void draw(double tokens);
  static Time time_of(const std::deque<Places>& line, double amount);  // max(): there is not so much
  static void take(std::deque<Places>& line, double amount);

  SharedLimits& limits_;
  const Clock& clock_;
  std::deque<Places> requests_, tokens_;
  std::size_t at_once_ = 1;  // requests that are drawn for
  std::size_t most_ = 1;     // that the limits let go in a quarter of kKept
  bool was_late_ = false;    // places grew old since the last draw
};

}  // namespace micius
