#include "runners/api_pace.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "runners/api_purse.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

// A line that is this process's alone, and a budget that it may share.
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
    const double at =
        std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    next_request_ = std::max(next_request_, at);
    next_token_ = std::max(next_token_, at);
    const PaceGrant grant{{Seconds(next_request_ - at), Seconds(request_s_)},
                          {Seconds(next_token_ - at), Seconds(token_s_)}};
    next_request_ += static_cast<double>(requests) * request_s_;
    next_token_ += tokens * token_s_;
    return grant;
  }

  std::vector<std::size_t> draws;
  std::vector<MoneyAsked> asks;
  std::int64_t budget = 0, spent = 0, of_others = 0;

 private:
  using Seconds = std::chrono::duration<double>;
  double request_s_, token_s_, next_request_ = 0, next_token_ = 0;
};

// Sends as soon as it may for so long, and says how many were sent.
std::size_t send_for(ApiPace& pace, milliseconds time, double tokens) {
  const auto end = std::chrono::steady_clock::now() + time;
  for (std::size_t sent = 0;; ++sent) {
    auto now = std::chrono::steady_clock::now();
    for (auto at = pace.earliest(now, tokens); at > now; at = pace.earliest(now, tokens)) {
      if (at > end) return sent;
      std::this_thread::sleep_until(at);
      now = std::chrono::steady_clock::now();
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
  ApiPace pace(line);
  const auto now = std::chrono::steady_clock::now();
  CHECK(pace.earliest(now, 1e9) <= now);
  CHECK(line.draws.empty());
}

TEST_CASE("requests go at their places in the line, and a busy process draws many at once") {
  Line line(0.001, 0);
  ApiPace pace(line);
  const std::size_t sent = send_for(pace, milliseconds(500), 10);
  CHECK(sent <= 501);
  CHECK(sent >= 250);  // of a machine that others use
  CHECK(line.draws.size() < 30);
  CHECK(line.draws.front() == 1);
  CHECK(line.draws.back() >= 64);
}

TEST_CASE("tokens bound requests as well") {
  Line line(0, 0.0001);
  ApiPace pace(line);
  const std::size_t sent = send_for(pace, milliseconds(500), 100);
  CHECK(sent <= 51);
  CHECK(sent >= 25);
}

TEST_CASE("a place is kept for a second, and who is late draws fewer") {
  Line line(0.01, 0);
  ApiPace pace(line);
  send_for(pace, milliseconds(200), 1);
  const std::size_t at_once = line.draws.back(), draws = line.draws.size();
  REQUIRE(at_once >= 4);
  const auto later = std::chrono::steady_clock::now() + milliseconds(2000);
  pace.earliest(later, 1);
  REQUIRE(line.draws.size() == draws + 1);
  CHECK(line.draws.back() <= at_once / 2);
}

TEST_CASE("a request larger than a draw's places takes several") {
  Line line(0.001, 0.00001);
  ApiPace pace(line);
  const auto now = std::chrono::steady_clock::now();
  pace.earliest(now, 10);
  CHECK(pace.earliest(now, 1000) < ApiPace::Time::max());
  pace.sent(1000);
  CHECK(line.draws.size() == 2);
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
