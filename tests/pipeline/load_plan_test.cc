#include "pipeline/load_plan.h"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"

namespace micius {
namespace {

using std::chrono::seconds;

std::vector<double> times_of(const LoadPlan& plan) {
  std::vector<double> times;
  for (const auto time : send_times(plan)) times.push_back(std::chrono::duration<double>(time).count());
  return times;
}

LoadPlan plan_of(Arrivals arrivals, double rate) {
  LoadPlan plan;
  plan.arrivals = arrivals;
  plan.rate = rate;
  plan.stream = "load plan test";
  return plan;
}

// The largest distance between the share of values below x and uniform, times sqrt(n): above 1.63 for one in
// a hundred samples (Kolmogorov and Smirnov).
double uniform_distance(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double most = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto k = static_cast<double>(i);
    most = std::max({most, values[i] - k / n, (k + 1) / n - values[i]});
  }
  return most * std::sqrt(n);
}

}  // namespace

TEST_CASE("constant arrivals have equal gaps and end in time") {
  LoadPlan plan = plan_of(Arrivals::kConstant, 4);
  plan.duration = seconds(2);
  CHECK(times_of(plan) == std::vector<double>{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75});
  plan.requests = 3;
  CHECK(times_of(plan).size() == 3);
  plan.requests = 100;
  CHECK(times_of(plan).size() == 8);
}

TEST_CASE("Poisson arrivals have exponential gaps that know nothing of each other") {
  LoadPlan plan = plan_of(Arrivals::kPoisson, 50);
  plan.requests = 20'000;
  const std::vector<double> times = times_of(plan);
  REQUIRE(times.size() == 20'000);
  std::vector<double> ranks;
  double before = 0, products = 0, last = 0;
  for (const double time : times) {
    const double rank = 1 - std::exp(-50 * (time - before));
    products += (rank - 0.5) * (last - 0.5);
    last = rank;
    ranks.push_back(rank);
    before = time;
  }
  CHECK(uniform_distance(ranks) < 1.63);
  CHECK(std::abs(12 * products / 20'000) < 3 / std::sqrt(20'000.0));  // correlation of neighbours
  CHECK(times.back() == Approx(400).epsilon(0.03));
  plan.stream = "another";
  CHECK(times_of(plan) != times);
  plan.stream = "load plan test";
  CHECK(times_of(plan) == times);
}

TEST_CASE("Poisson arrivals of a time vary as they should") {
  LoadPlan plan = plan_of(Arrivals::kPoisson, 5);
  plan.duration = seconds(10);
  double sum = 0, squares = 0;
  for (int i = 0; i < 2000; ++i) {
    plan.stream = fmt::format("variance {}", i);
    const auto n = static_cast<double>(send_times(plan).size());
    sum += n;
    squares += n * n;
  }
  const double mean = sum / 2000, variance = squares / 2000 - mean * mean;
  CHECK(mean == Approx(50).margin(0.6));      // 4 standard errors
  CHECK(variance == Approx(50).margin(6.5));  // the same
}

TEST_CASE("a ramp's rate rises in a line") {
  LoadPlan plan = plan_of(Arrivals::kRamp, 90);
  plan.first_rate = 10;
  plan.duration = seconds(200);
  const std::vector<double> times = times_of(plan);
  CHECK(static_cast<double>(times.size()) == Approx(10'000).margin(400));
  std::vector<double> ranks;  // the share of the ramp's requests that are to have come
  for (const double time : times) ranks.push_back((10 * time + 80 * time * time / 400) / 10'000);
  CHECK(uniform_distance(ranks) < 1.63);
  CHECK(std::is_sorted(times.begin(), times.end()));

  plan.duration.reset();
  plan.requests = 1000;
  plan.first_rate = 0;
  const std::vector<double> counted = times_of(plan);
  CHECK(counted.size() == 1000);
  CHECK(counted.back() == Approx(2000 / 90.0).epsilon(0.1));
}

TEST_CASE("arrivals have names") {
  for (const Arrivals arrivals : {Arrivals::kPoisson, Arrivals::kConstant, Arrivals::kRamp})
    CHECK(arrivals_from(arrivals_name(arrivals)) == arrivals);
  CHECK_THROWS_WITH(arrivals_from("possion"), Catch::Contains("poisson, constant and ramp"));
}

}  // namespace micius
