// Answers that break off, never end, are too large or no text, for every API, whole and streamed.
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runners/api_ways.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("an answer that breaks off, anywhere and anyhow, is asked again") {
  for (const Way& way : kWays) {
    const auto parts = pieces(way, "half");
    const std::string whole = joined(parts);
    const std::size_t needed =
        way.streams() ? parts[0].size() + parts[1].size() + parts[2].size() : whole.size();
    for (const bool resets : {false, true}) {
      for (std::size_t sent = 0; sent < needed; sent += 1 + needed / 9) {
        const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
          if (exchange.request.number > 1) return answer_well(exchange, of);
          exchange.head(200, {"Content-Length: " + std::to_string(whole.size())});
          exchange.send(std::string_view(whole).substr(0, sent));
          exchange.pause(5);
          resets ? exchange.reset() : exchange.close();
        });
        INFO("after " << sent << " of " << needed);
        CHECK(completion.text == "fine");
      }
    }
  }
}

TEST_CASE("a stream that has said its end is whole, however its connection ends") {
  for (const Way& way : kWays) {
    if (!way.streams()) continue;
    for (const bool has_mark : {false, true}) {
      for (const bool resets : {false, true}) {
        std::atomic<int> requests = 0;
        const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
          ++requests;
          const auto parts = pieces(of, "fine");
          exchange.head(200, {"Content-Length: 100000"});
          exchange.send(parts[0] + parts[1] + parts[2] + (has_mark ? parts[3] : ""));
          exchange.pause(20);
          resets ? exchange.reset() : exchange.close();
        });
        CHECK(completion.text == "fine");
        CHECK(requests == 1);
      }
    }
  }
}

TEST_CASE("a server that stays silent, at any point, holds a request no longer than its time") {
  for (const Way& way : kWays) {
    const auto parts = pieces(way, "fine");
    FaultServer server([&](Exchange& exchange) {
      const auto number = static_cast<std::size_t>(exchange.request.number);
      if (number == 2) exchange.send("HTTP/1.1 200 O");
      if (number == 3) exchange.head(200, {});
      if (number > 3) {
        exchange.head(200, {});
        exchange.send(joined(parts).substr(0, number * 9));
      }
      exchange.pause(5000);
    });
    ApiSettings settings = settings_of(way, 0);
    settings.timeout = std::chrono::seconds(1);
    settings.concurrency = 8;
    Trial trial(server, settings, way.kind);
    const auto began = kClock.now();
    for (const Completion& completion : trial.ask(8)) {
      REQUIRE(completion.failure);
      CHECK(completion.failure->code == "timeout");
    }
    CHECK(kClock.now() - began < milliseconds(4500));
  }
}

TEST_CASE("comments do not make the time to the first token longer") {
  for (const Way& way : kWays) {
    if (!way.streams()) continue;
    FaultServer server([&](Exchange& exchange) {
      exchange.head(200, {});
      while (exchange.send(": ping\n\n")) exchange.pause(20);
    });
    ApiSettings settings = settings_of(way, 0);
    settings.timeout = std::chrono::seconds(1);
    Trial trial(server, settings, way.kind);
    const Failure failure = trial.ask(1).at(0).failure.value();
    CHECK(failure.code == "timeout");
  }
}

TEST_CASE("a stream that stays open after its end mark holds nobody up") {
  for (const Way& way : kWays) {
    if (!way.streams()) continue;
    const auto began = kClock.now();
    const Completion completion = ask_once(way, [](Exchange& exchange, const Way& of) {
      exchange.head(200, {});
      exchange.send(joined(pieces(of, "fine")));
      while (exchange.send(": still here\n\n")) exchange.pause(50);
    });
    CHECK(completion.text == "fine");
    CHECK(kClock.now() - began < milliseconds(2500));
  }
}

TEST_CASE("no answer is larger than it may be") {
  for (const Way& way : kWays) {
    const Completion text = ask_once(
        way, [](Exchange& exchange, const Way& of) { answer_well(exchange, of, std::string(5 << 20, 'x')); },
        0);
    REQUIRE(text.failure);
    CHECK(text.failure->code == "bad_response");
    const Completion head = ask_once(
        way,
        [](Exchange& exchange, const Way&) {
          exchange.answer(200, std::vector<std::string>(2000, "X-Long: " + std::string(100, 'x')), "{}");
        },
        0);
    REQUIRE(head.failure);
    CHECK(head.failure->code == "bad_response");
    if (!way.streams()) continue;
    std::atomic<int> requests = 0;
    const Completion line = ask_once(way, [&](Exchange& exchange, const Way&) {
      ++requests;
      exchange.head(200, {});
      exchange.send("data: ");
      while (exchange.send(std::string(1 << 16, 'x'))) continue;
      exchange.close();
    });
    REQUIRE(line.failure);
    CHECK(line.failure->code == "bad_response");
    CHECK(requests == 1);
  }
}

TEST_CASE("bytes that are no UTF-8 and half characters are replaced, wherever reads cut them") {
  for (const Way& way : kWays) {
    std::string whole = joined(pieces(way, "a?b\u00e9"));
    whole.replace(whole.find("a?b"), 3,
                  "a\xff"
                  "b");
    const Completion completion = ask_once(way, [&](Exchange& exchange, const Way&) {
      exchange.head(200, {"Content-Length: " + std::to_string(whole.size())});
      for (std::size_t i = 0; i < whole.size(); i += 3) exchange.send(std::string_view(whole).substr(i, 3));
    });
    CHECK(completion.text == "a\uFFFDb\u00e9");
  }
}

TEST_CASE("whatever a server calls its body, it is judged by what it is") {
  for (const Way& way : kWays) {
    for (const char* type :
         {"text/plain", "text/html", "application/octet-stream", "text/event-stream", "\xff"}) {
      const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
        exchange.answer(200, {std::string("Content-Type: ") + type}, joined(pieces(of, "fine")));
      });
      CHECK(completion.text == "fine");
    }
    if (!way.streams()) continue;
    const Completion whole = ask_once(way, [](Exchange& exchange, const Way& of) {
      exchange.answer(200, {}, joined(pieces({of.kind, ApiStreaming::kNone}, "fine")));
    });
    CHECK(whole.text == "fine");
    CHECK_FALSE(whole.timing.first_token);
  }
}

}  // namespace micius
