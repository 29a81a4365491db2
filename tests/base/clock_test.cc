#include "base/clock.h"

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("time is written as RFC 3339 in UTC") {
  const auto at = [](std::time_t seconds) {
    return format_utc(std::chrono::system_clock::from_time_t(seconds));
  };
  CHECK(at(0) == "1970-01-01T00:00:00Z");
  CHECK(at(-1) == "1969-12-31T23:59:59Z");
  CHECK(at(951782400) == "2000-02-29T00:00:00Z");
  CHECK(at(1769903999) == "2026-01-31T23:59:59Z");
}

TEST_CASE("the steady clock does not go back") {
  const SystemClock clock;
  const Clock::time_point first = clock.now();
  CHECK(clock.now() >= first);
  CHECK(clock.utc() > std::chrono::system_clock::from_time_t(1'700'000'000));
}

}  // namespace micius
