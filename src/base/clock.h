// Time, passed in so that tests can set it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace micius {

class Clock {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual time_point now() const = 0;                             // never goes back; for durations
  virtual std::chrono::system_clock::time_point utc() const = 0;  // for people
};

class SystemClock final : public Clock {
 public:
  time_point now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point utc() const override { return std::chrono::system_clock::now(); }
};

// Durations as they are stored: whole nanoseconds.
inline std::int64_t ns_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count();
}
inline Clock::time_point after_ns(Clock::time_point from, std::int64_t ns) {
  return from + std::chrono::duration_cast<Clock::time_point::duration>(std::chrono::nanoseconds(ns));
}

// RFC 3339 in UTC with seconds: 2026-01-31T23:59:59Z.
std::string format_utc(std::chrono::system_clock::time_point when);

}  // namespace micius
