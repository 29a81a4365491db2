#include "net/governor.h"

#include <chrono>

#include <catch2/catch.hpp>

namespace micius {
namespace {

using namespace std::chrono_literals;
using Time = Governor::Time;

const Time kStart = Time(1h);

HttpHead limits_of(std::vector<HttpHeader> headers) { return {200, std::move(headers), ""}; }

}  // namespace

TEST_CASE("lanes are added one by one and halved once a second") {
  Governor governor({.concurrency = 6}, kStart);
  CHECK(governor.lanes() == 4);
  const auto answer = [&](int times) {
    for (int i = 0; i < times; ++i) {
      governor.sent(kStart, 1);
      governor.succeeded(kStart);
    }
  };
  answer(19);
  CHECK(governor.lanes() == 4);
  answer(1);
  CHECK(governor.lanes() == 5);
  answer(100);
  CHECK(governor.lanes() == 6);
  const auto busy = [&](Time now) {
    governor.sent(now, 1);
    governor.was_busy(now);
  };
  busy(kStart + 10s);
  busy(kStart + 10s + 500ms);
  CHECK(governor.lanes() == 3);
  busy(kStart + 11s);
  busy(kStart + 12s);
  busy(kStart + 13s);
  CHECK(governor.lanes() == 1);
  CHECK(governor.in_flight() == 0);
}

TEST_CASE("no more go than there are lanes") {
  Governor governor({.concurrency = 2, .first_concurrency = 2}, kStart);
  CHECK(governor.earliest(kStart, 1) <= kStart);
  governor.sent(kStart, 1);
  governor.sent(kStart, 1);
  CHECK(governor.earliest(kStart, 1) == Time::max());
  governor.ended();
  CHECK(governor.earliest(kStart, 1) <= kStart);
}

TEST_CASE("a minute has as many requests and tokens as it may") {
  const auto sent_in = [](const GovernorOptions& options, double tokens, std::chrono::seconds span) {
    Governor governor(options, kStart);
    int sent = 0;
    for (Time now = kStart; now < kStart + span;) {
      const Time next = governor.earliest(now, tokens);
      if (next > now) {
        now = next;
        continue;
      }
      governor.sent(now, tokens);
      governor.succeeded(now);
      ++sent;
    }
    return sent;
  };
  CHECK(sent_in({.requests_per_minute = 600}, 1, 60s) == Approx(600 + 5).margin(1));
  CHECK(sent_in({.requests_per_minute = 6}, 1, 120s) == Approx(12 + 1).margin(1));
  CHECK(sent_in({.tokens_per_minute = 60'000}, 500, 60s) == Approx(120 + 1).margin(1));
  CHECK(sent_in({.tokens_per_minute = 6'000}, 500, 120s) == Approx(24).margin(1));  // larger than the bucket
  CHECK(sent_in({.requests_per_minute = 6'000, .tokens_per_minute = 60'000}, 1000, 60s) ==
        Approx(60).margin(1));
}

TEST_CASE("what a server says of its limits is kept to") {
  Governor governor({}, kStart);
  governor.learn(limits_of({{"x-ratelimit-remaining-requests", "3"}, {"x-ratelimit-reset-requests", "9s"}}),
                 kStart, 1);
  CHECK(governor.earliest(kStart, 1) <= kStart);
  governor.learn(limits_of({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "1.5s"}}),
                 kStart, 1);
  CHECK(governor.earliest(kStart, 1) == kStart + 1500ms);
  // 400 of 1,000 are left, the rest comes in 6 s: 700 are there in 3 s.
  governor.learn(limits_of({{"x-ratelimit-limit-tokens", "1000"},
                            {"x-ratelimit-remaining-tokens", "400"},
                            {"x-ratelimit-reset-tokens", "6s"}}),
                 kStart, 700);
  CHECK(governor.earliest(kStart, 700) == kStart + 3s);
  // Azure's way of saying nothing.
  governor.learn(limits_of({{"x-ratelimit-remaining-tokens", "-1"}, {"x-ratelimit-reset-tokens", "99"}}),
                 kStart, 700);
  CHECK(governor.earliest(kStart, 700) == kStart + 3s);
  governor.hold(kStart + 10s);
  governor.hold(kStart + 5s);
  CHECK(governor.earliest(kStart, 1) == kStart + 10s);
}

TEST_CASE("an endpoint is dead after many failures over a minute, without a success") {
  Governor governor({.concurrency = 100, .first_concurrency = 100}, kStart);
  const auto fail_at = [&](Time now) {
    governor.sent(now, 1);
    governor.failed(now);
  };
  for (int i = 0; i < 50; ++i) fail_at(kStart);
  CHECK_FALSE(governor.is_dead(kStart + 59s));
  CHECK(governor.is_dead(kStart + 60s));
  governor.sent(kStart + 61s, 1);
  governor.succeeded(kStart + 61s);
  CHECK_FALSE(governor.is_dead(kStart + 200s));
  for (int i = 0; i < 19; ++i) fail_at(kStart + 300s);
  CHECK_FALSE(governor.is_dead(kStart + 400s));
}

TEST_CASE("Anthropic's limits end at a time, by the clock of the answer") {
  Governor governor({}, kStart);
  const HttpHead spent = limits_of({{"date", "Mon, 02 Nov 2026 10:00:00 GMT"},
                                    {"anthropic-ratelimit-requests-limit", "50"},
                                    {"anthropic-ratelimit-requests-remaining", "0"},
                                    {"anthropic-ratelimit-requests-reset", "2026-11-02T10:00:30Z"}});
  governor.learn(spent, kStart, 1);
  CHECK(governor.earliest(kStart, 1) == kStart + 30s);
  Governor other({}, kStart);
  HttpHead odd = spent;
  odd.headers[0].value = "Mon, 02 Nov 2026 11:00:00 GMT";  // over already
  other.learn(odd, kStart, 1);
  odd.headers[0].value = "yesterday";
  other.learn(odd, kStart, 1);
  odd = limits_of({{"anthropic-ratelimit-tokens-limit", "1000"},
                   {"anthropic-ratelimit-tokens-remaining", "500"},
                   {"anthropic-ratelimit-tokens-reset", "60"}});
  other.learn(odd, kStart, 500);
  CHECK(other.earliest(kStart, 500) == kStart);
  other.learn(odd, kStart, 600);
  CHECK(other.earliest(kStart, 600) == kStart + 12s);
}

}  // namespace micius
