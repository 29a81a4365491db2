#include "base/format.h"

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "base/hash.h"

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
  CHECK(format_p(0.00001) == "< 0.0001");
  CHECK(format_bytes(98'362'432) == "98.4 MB");
}

TEST_CASE("time and hashes") {
  CHECK(format_utc(std::chrono::system_clock::from_time_t(1769903999)) == "2026-01-31T23:59:59Z");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace micius
