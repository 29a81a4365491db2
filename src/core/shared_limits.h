// What processes that ask one model may do together: how much it may cost, and how often it may be asked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace micius {

// Of one process, in picodollars.
struct MoneyAsked {
  std::int64_t spent = 0;      // since it asked last
  std::int64_t under_way = 0;  // the most that its open requests may come to
  std::int64_t wanted = 0;     // the most that its next request may come to
};

struct MoneyHeld {
  std::int64_t pico = 0;              // that this process may come to, spent from now on and under way
  std::int64_t limit = 0, spent = 0;  // of the budget, by whomever; what processes that died held is spent
  bool others_hold = false;           // a process that is alive has some that it may give back
};

// Things one after another: the first may go in so many seconds, each after `each` more.
struct PaceSteps {
  std::chrono::duration<double> first{0}, each{0};
};
struct PaceGrant {
  PaceSteps requests, tokens;  // zero where there is no such limit
};

// From any thread; does not throw. Where nothing can be told, nothing may go.
class SharedLimits {
 public:
  virtual ~SharedLimits() = default;
  virtual bool has_budget() const = 0;
  virtual bool has_pace() const = 0;
  // Holds for this process what is wanted and mostly some more, or as much as is under way where that is not
  // there: it is sent where `pico` is not less than both. With nothing wanted it gives all else back.
  virtual MoneyHeld hold(const MoneyAsked& asked) = 0;
  // A place in the line of all processes for so many requests, of so many tokens together.
  virtual PaceGrant draw(std::size_t requests, double tokens) = 0;
};

}  // namespace micius
