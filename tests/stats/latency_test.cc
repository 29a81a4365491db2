#include "stats/latency.h"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "base/rng.h"

namespace micius {

TEST_CASE("a quantile's interval has the ranks of the binomial table") {
  std::vector<double> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  // P(K <= 39) = 0.0176, P(K <= 40) = 0.0284 and their mirror images for K ~ Binomial(100, 1/2).
  const Estimate median = quantile_estimate(values, 0.5);
  CHECK(median.value == Approx(50.5));
  CHECK(*median.low == 40);
  CHECK(*median.high == 61);
  const Estimate p99 = quantile_estimate(values, 0.99);
  CHECK(p99.low);
  CHECK_FALSE(p99.high);  // 0.99^100 = 37 % that no value is above it
  for (int i = 101; i <= 367; ++i) values.push_back(i);
  CHECK_FALSE(quantile_estimate(values, 0.99).high);
  values.push_back(368);
  CHECK(*quantile_estimate(values, 0.99).high == 368);
  CHECK_FALSE(quantile_estimate(std::vector<double>{1}, 0.5).low);
}

TEST_CASE("a quantile's interval holds the true value as often as it says") {
  Rng rng("latency test");
  for (const double p : {0.5, 0.9, 0.99}) {
    std::size_t held = 0;
    for (int trial = 0; trial < 1000; ++trial) {
      std::vector<double> values(500);
      for (double& value : values) value = -std::log(1 - rng.uniform());
      std::sort(values.begin(), values.end());
      const Estimate estimate = quantile_estimate(values, p);
      const double truth = -std::log(1 - p);
      held += *estimate.low <= truth && truth <= *estimate.high ? 1 : 0;
    }
    CHECK(held >= 935);
    CHECK(held <= 995);
  }
}

TEST_CASE("latencies are summed up in any order, and none gives nothing") {
  const auto summary = summarize_latencies({3, 1, 2});
  REQUIRE(summary);
  CHECK(summary->mean == Approx(2));
  CHECK(summary->min == 1);
  CHECK(summary->max == 3);
  CHECK(summary->quantiles.at(0).second.value == 2);
  CHECK_FALSE(summarize_latencies({}));
  CHECK(share_estimate(5, 10).value == 0.5);
}

}  // namespace micius
