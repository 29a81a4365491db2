#include "stats/running.h"

#include <map>
#include <vector>

#include <catch2/catch.hpp>

#include "stats/mean.h"

namespace micius {
namespace {

void check_same(const std::optional<Estimate>& got, const std::optional<Estimate>& expected) {
  REQUIRE(got.has_value() == expected.has_value());
  if (!expected) return;
  CHECK(got->n == expected->n);
  CHECK(got->value == Approx(expected->value));
  REQUIRE(got->low.has_value() == expected->low.has_value());
  if (expected->low) CHECK(*got->low == Approx(*expected->low));
  if (expected->high) CHECK(*got->high == Approx(*expected->high));
}

}  // namespace

TEST_CASE("a running mean over clusters is the estimate over clusters") {
  const std::vector<std::vector<double>> lists = {{1, 0, 0, 1, 1, 1, 0},
                                                  {0.5, 1, 0, 0.25, 0.125, 1, 0.5},
                                                  {0, 0, 0, 0, 0, 0, 0},
                                                  {1, 0, 1, 0, 0, 1, 0.5},
                                                  {-2, -3, -7.5, -1, -400, -2, -2}};
  const std::vector<std::vector<std::uint32_t>> groupings = {
      {0, 0, 1, 1, 2, 0, 2}, {0, 0, 0, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5, 6}, {0, 0, 1, 1, 2, 2, 3}};
  for (const auto& values : lists) {
    for (const auto& clusters : groupings) {
      RunningMean running;
      std::map<std::uint32_t, RunningCluster> sums;
      for (std::size_t i = 0; i < values.size(); ++i) {
        running.add(values[i], sums[clusters[i]]);
        const std::span<const double> seen(values.data(), i + 1);
        const std::span<const std::uint32_t> of(clusters.data(), i + 1);
        check_same(running.estimate(), estimate_mean(seen, of));
        check_same(running.exp_neg_estimate(), estimate_exp_neg_mean(seen, of));
      }
    }
  }
}

TEST_CASE("a running mean agrees with the estimate after every value") {
  const std::vector<std::vector<double>> lists = {
      {1, 0, 0, 1, 1}, {0.5, 1, 0, 0.25}, {0, 0, 0}, {-2, -3, -7.5}};
  for (const auto& values : lists) {
    RunningMean running;
    check_same(running.estimate(), std::nullopt);
    for (std::size_t i = 0; i < values.size(); ++i) {
      running.add(values[i]);
      const std::span<const double> seen(values.data(), i + 1);
      check_same(running.estimate(), estimate_mean(seen, {}));
      check_same(running.exp_neg_estimate(), estimate_exp_neg_mean(seen, {}));
    }
  }
}

}  // namespace micius
