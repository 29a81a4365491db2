// When requests may go where several processes keep to a model's rate limits together.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "core/shared_limits.h"

namespace micius {

// Draws places in the line of all processes, a few at a time, and keeps each for kKept: what is sent in any
// time T, by all of them together, is what the limits let go in T + kKept. For one thread.
class ApiPace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit ApiPace(SharedLimits& limits) : limits_(limits) {}

  // When a request of about `tokens` may go; not after `now`: at once.
  Time earliest(Time now, double tokens);
  void sent(double tokens);  // takes the places that earliest() found

  static constexpr std::chrono::milliseconds kKept{1000};

 private:
  // `amount` of requests or tokens, from `at` on.
  struct Places {
    Time at;
    double amount;
  };
  bool drop_old(Time now);
  void draw(double tokens);
  static Time time_of(const std::deque<Places>& line, double amount);  // max(): there is not so much
  static void take(std::deque<Places>& line, double amount);

  SharedLimits& limits_;
  std::deque<Places> requests_, tokens_;
  std::size_t at_once_ = 1;  // requests that are drawn for
  std::size_t most_ = 1;     // that the limits let go in a quarter of kKept
  bool was_late_ = false;    // places grew old since the last draw
};

}  // namespace micius
