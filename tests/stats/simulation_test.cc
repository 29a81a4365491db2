// The short form of the table in docs/statistics.md: fewer rounds, with room for chance.
#include "stats/simulation.h"

#include <catch2/catch.hpp>

namespace micius {
namespace {

constexpr std::size_t kRounds = 500;
constexpr double kRoom = 4;  // standard errors

void check(const std::vector<Simulated>& rows) {
  for (const Simulated& row : rows) {
    INFO(row.what << ", " << row.setting << ": " << row.share << " +- " << row.error);
    CHECK(row.share >= row.low - kRoom * row.error);
    CHECK(row.share <= row.high + kRoom * row.error);
  }
}

}  // namespace

TEST_CASE("intervals cover as often as they promise") { check(simulated_coverage(kRounds)); }

TEST_CASE("tests err no more often than their level") { check(simulated_errors(kRounds)); }

}  // namespace micius
