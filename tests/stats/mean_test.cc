#include "stats/mean.h"

#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include "stats/proportion.h"

namespace micius {
namespace {

using Values = std::vector<double>;
using Clusters = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("without samples there is no estimate") {
  CHECK_FALSE(estimate_mean({}, {}));
  CHECK_FALSE(estimate_exp_neg_mean({}, {}));
}

TEST_CASE("one graded sample has a value and neither error nor interval") {
  const auto e = estimate_mean(Values{0.25}, {});
  REQUIRE(e);
  CHECK(e->value == 0.25);
  CHECK(e->n == 1);
  CHECK_FALSE(e->stderr_);
  CHECK_FALSE(e->low);
  CHECK_FALSE(e->high);
}

TEST_CASE("one sample that is right has Wilson's interval and no error") {
  const auto e = estimate_mean(Values{1}, {});
  REQUIRE(e);
  CHECK(*e->low == Approx(0.20654931437723745));
  CHECK(*e->high == 1);
  CHECK_FALSE(e->stderr_);
}

TEST_CASE("right and wrong answers have Wilson's interval and lm-eval's stderr") {
  const auto e = estimate_mean(Values{1, 1, 0, 1, 1, 0, 1, 0, 1, 1}, {});
  const Interval expected = wilson(7, 10);
  REQUIRE(e);
  CHECK(e->value == Approx(0.7));
  CHECK(*e->low == expected.low);
  CHECK(*e->high == expected.high);
  CHECK(*e->stderr_ == Approx(0.15275252316519464));
  CHECK_FALSE(e->clusters);
}

TEST_CASE("graded values without spread have no interval") {
  const auto e = estimate_mean(Values{0.5, 0.5, 0.5}, {});
  REQUIRE(e);
  CHECK(*e->stderr_ == 0);
  CHECK_FALSE(e->low);
}

TEST_CASE("clusters of one sample each are independent samples") {
  const Values values{1, 0, 1, 1};
  const auto e = estimate_mean(values, Clusters{7, 3, 9, 1});
  REQUIRE(e);
  CHECK(*e->low == wilson(3, 4).low);
  CHECK_FALSE(e->clusters);
}

TEST_CASE("clusters widen the interval and give the effective n") {
  const auto e = estimate_mean(Values{0.1, 0.4, 0.9, 0.8}, Clusters{0, 0, 1, 1});
  REQUIRE(e);
  CHECK(*e->clusters == 2);
  CHECK(*e->stderr_ == Approx(0.3));
  CHECK(*e->low == Approx(-3.2618614208524086));
  CHECK(*e->n_effective == Approx(1.5185185185185184));
}

TEST_CASE("clusters that are all right count once each in Wilson's interval") {
  const auto e = estimate_mean(Values{1, 1, 1, 1, 1}, Clusters{0, 0, 0, 1, 1});
  REQUIRE(e);
  CHECK(*e->low == wilson(2, 2).low);
  CHECK(*e->high == 1);
  CHECK(e->n == 5);
}

TEST_CASE("one cluster says nothing of the error") {
  const auto e = estimate_mean(Values{0, 1, 1}, Clusters{4, 4, 4});
  REQUIRE(e);
  CHECK(e->value == Approx(2.0 / 3));
  CHECK_FALSE(e->stderr_);
  CHECK_FALSE(e->low);
}

TEST_CASE("clusters that each average to the mean have no cluster interval") {
  const auto e = estimate_mean(Values{0, 1, 0, 1}, Clusters{0, 0, 1, 1});
  REQUIRE(e);
  CHECK(*e->stderr_ == Approx(std::sqrt(1.0 / 3 / 4)));
  CHECK_FALSE(e->low);
}

TEST_CASE("a perplexity has the interval of its mean, transformed") {
  const Values logs{-1, -2, -3, -6};
  const auto mean = estimate_mean(logs, {});
  const auto e = estimate_exp_neg_mean(logs, {});
  REQUIRE(e);
  CHECK(e->value == Approx(std::exp(3)));
  CHECK(*e->low == Approx(std::exp(-*mean->high)));
  CHECK(*e->high == Approx(std::exp(-*mean->low)));
  CHECK(*e->stderr_ == Approx(std::exp(3) * *mean->stderr_));
}

TEST_CASE("log-likelihoods of 0 are not wrong answers") {
  const auto e = estimate_exp_neg_mean(Values{0, 0, 0}, {});
  REQUIRE(e);
  CHECK(e->value == 1);
  CHECK_FALSE(e->low);
}

}  // namespace micius
