#include "runners/api_pace.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include <catch2/catch.hpp>

#include "runners/api_purse.h"

namespace micius {
namespace {

using std::chrono::milliseconds;
using Time = ApiPace::Time;

// Stands still until it is set.
class SetClock final : public Clock {
 public:
  time_point now() const override { return at; }
  std::chrono::system_clock::time_point utc() const override { return {}; }
  time_point at{std::chrono::hours(1)};
};

// The line of all who have it, and a budget that they may share.
class Line final : public SharedLimits {
 public:
  Line(double request_s, double token_s) : request_s_(request_s), token_s_(token_s) {}
  bool has_budget() const override { return budget > 0; }
  bool has_pace() const override { return request_s_ > 0 || token_s_ > 0; }
  MoneyHeld hold(const MoneyAsked& asked) override {
    asks.push_back(asked);
    spent += asked.spent;
    const std::int64_t needed = asked.under_way + asked.wanted;
    const bool is_there = needed <= budget - spent - of_others;
    return {is_there ? needed : asked.under_way, budget, spent, of_others > 0};
  }
  PaceGrant draw(std::size_t requests, double tokens) override {
    draws.push_back(requests);
    const double at = Seconds(clock.now().time_since_epoch()).count();
    next_request_ = std::max(next_request_, at);
    next_token_ = std::max(next_token_, at);
    const PaceGrant grant{{Seconds(next_request_ - at), Seconds(request_s_)},
                          {Seconds(next_token_ - at), Seconds(token_s_)}};
    next_request_ += static_cast<double>(requests) * request_s_;
    next_token_ += tokens * token_s_;
    return grant;
  }

  SetClock clock;
  std::vector<std::size_t> draws;
  std::vector<MoneyAsked> asks;
  std::int64_t budget = 0, spent = 0, of_others = 0;

 private:
  using Seconds = std::chrono::duration<double>;
  double request_s_, token_s_, next_request_ = 0, next_token_ = 0;
};

// Sends as soon as it may for so long, and says how many were sent.
std::size_t send_for(ApiPace& pace, SetClock& clock, milliseconds time, double tokens) {
  const Time end = clock.at + time;
  for (std::size_t sent = 0;; ++sent) {
    for (Time at = pace.earliest(clock.at, tokens); at > clock.at; at = pace.earliest(clock.at, tokens)) {
      if (at > end) return sent;
      clock.at = at;
    }
    pace.sent(tokens);
  }
}

Price pico_a_token() {
  Price price;
  price.input = price.cached_input = price.output = 1;
  return price;
}

}  // namespace

TEST_CASE("without shared rates everything goes") {
  Line line(0, 0);
  ApiPace pace(line, line.clock);
  CHECK(pace.earliest(line.clock.at, 1e9) <= line.clock.at);
  CHECK(line.draws.empty());
}

TEST_CASE("requests go at their places in the line, and a busy process draws many at once") {
  Line line(0.001, 0);
  ApiPace pace(line, line.clock);
  CHECK(send_for(pace, line.clock, milliseconds(500), 10) == Approx(500).margin(1));
  CHECK(line.draws.size() < 30);
  CHECK(line.draws.front() == 1);
  CHECK(line.draws.back() >= 64);
}

TEST_CASE("tokens bound requests as well") {
  Line line(0, 0.0001);
  ApiPace pace(line, line.clock);
  CHECK(send_for(pace, line.clock, milliseconds(500), 100) == Approx(50).margin(1));
}

TEST_CASE("a place is kept for a second, and who is late draws fewer") {
  Line line(0.01, 0);
  ApiPace pace(line, line.clock);
  send_for(pace, line.clock, milliseconds(200), 1);
  const std::size_t at_once = line.draws.back(), draws = line.draws.size();
  REQUIRE(at_once >= 4);
  pace.earliest(line.clock.at + milliseconds(2000), 1);
  REQUIRE(line.draws.size() == draws + 1);
  CHECK(line.draws.back() <= at_once / 2);
}

TEST_CASE("a request larger than a draw's places takes several") {
  Line line(0.001, 0.00001);
  ApiPace pace(line, line.clock);
  pace.earliest(line.clock.at, 10);
  CHECK(pace.earliest(line.clock.at, 1000) < Time::max());
  pace.sent(1000);
  CHECK(line.draws.size() == 2);
}

// Each of them waits for seconds, longer than a place is kept once its time has come.
TEST_CASE("many processes use the whole line, and none runs ahead of it") {
  constexpr int kProcesses = 40;
  const auto [request_s, token_s] =
      GENERATE(table<double, double>({{0.1, 0}, {0, 0.001}, {0.1, 0.0001}, {0.01, 0.001}}));
  Line line(request_s, token_s);
  std::vector<ApiPace> paces(kProcesses, ApiPace(line, line.clock));
  const Time began = line.clock.at;
  std::size_t sent = 0;
  while (line.clock.at < began + std::chrono::minutes(10)) {
    for (ApiPace& pace : paces) {
      if (pace.earliest(line.clock.at, 100) > line.clock.at) continue;
      pace.sent(100);
      ++sent;
    }
    line.clock.at += milliseconds(20);
  }
  CHECK(sent >= 5800);  // ten a second
  CHECK(sent <= 6010);
  const std::size_t drawn = std::accumulate(line.draws.begin(), line.draws.end(), std::size_t{0});
  CHECK(drawn <= sent + 2 * kProcesses);
}

TEST_CASE("a shared budget is asked for what is under way and wanted") {
  Line line(0, 0);
  line.budget = 10;
  ApiPurse purse(pico_a_token(), std::make_shared<ApiBudget>(std::nullopt), &line);
  const BilledTokens most{2, 0, 2};
  CHECK(purse.admit(most).what == ApiAdmit::kSend);
  CHECK(purse.admit(most).what == ApiAdmit::kSend);
  CHECK(purse.admit(most).what == ApiAdmit::kWait);  // for one of its own
  purse.release(most);
  purse.pay({1, 0, 0});
  CHECK(purse.admit(most).what == ApiAdmit::kSend);
  purse.release(most);
  purse.release(most);
  purse.pay(most);
  purse.pay({1, 0, 0});
  line.of_others = 3;
  const ApiAdmission wait = purse.admit(most);
  CHECK(wait.what == ApiAdmit::kWait);
  CHECK(wait.again);
  line.of_others = 0;
  CHECK(purse.admit(most).what == ApiAdmit::kSend);
  purse.release(most);
  purse.pay(most);
  const ApiAdmission none = purse.admit(most);
  CHECK(none.what == ApiAdmit::kStop);
  CHECK(none.code == "budget");
  CHECK(line.spent == 10);
  line.budget = 20;
  CHECK(purse.admit(most).what == ApiAdmit::kSend);
  purse.release(most);
  purse.settle();
  CHECK(line.asks.back().wanted == 0);
}

}  // namespace micius
