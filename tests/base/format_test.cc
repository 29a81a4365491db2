#include "base/format.h"

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("numbers for people") {
  using namespace std::chrono_literals;
  CHECK(format_percent(0.0347) == "3.5 %");
  CHECK(format_count(999) == "999");
  CHECK(format_count(61'234) == "61.2k");
  CHECK(format_count(999'999) == "1.0M");
  CHECK(format_duration(840ms) == "840 ms");
  CHECK(format_duration(12'600ms) == "12.6 s");
  CHECK(format_duration(184s) == "3 min 4 s");
  CHECK(format_duration(59'960ms) == "1 min 0 s");
  CHECK(format_rate(5.238) == "5.24");
  CHECK(format_rate(999.4) == "999");
  CHECK(format_rate(999.7) == "1000");
  CHECK(format_rate(2213.4) == "2213");
  CHECK(format_bytes(98'362'432) == "98.4 MB");
}

}  // namespace micius
