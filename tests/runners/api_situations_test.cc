// What becomes of a sample in every situation that a server can make, for every API, whole and streamed.
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runners/api_ways.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;

}  // namespace

TEST_CASE("an answer comes back the same by every way") {
  for (const Way& way : kWays) {
    const Completion completion =
        ask_once(way, [](Exchange& exchange, const Way& of) { answer_well(exchange, of); });
    CHECK(completion.text == "fine");
    CHECK(completion.stop_reason == StopReason::kStop);
    CHECK(completion.prompt_tokens == 11);
    CHECK(completion.completion_tokens == 2);
    CHECK(completion.timing.first_token.has_value() == way.streams());
    if (!completion.timing.first_token) continue;
    CHECK(*completion.timing.first_token >= completion.timing.sent);
    CHECK(*completion.timing.first_token <= completion.timing.done);
  }
}

TEST_CASE("the first token's time is its own, not the last one's") {
  for (const Way& way : kWays) {
    if (!way.streams()) continue;
    const Completion completion = ask_once(way, [](Exchange& exchange, const Way& of) {
      const auto parts = pieces(of, "fine");
      exchange.head(200, {"Content-Type: text/event-stream"});
      exchange.send(parts[0]);
      exchange.pause(60);
      exchange.send(parts[1]);
      exchange.pause(120);
      exchange.send(parts[2] + parts[3]);
      exchange.close();
    });
    REQUIRE(completion.timing.first_token);
    CHECK(*completion.timing.first_token - completion.timing.sent >= milliseconds(55));
    CHECK(completion.timing.done - *completion.timing.first_token >= milliseconds(110));
  }
}

TEST_CASE("why the model stopped is kept") {
  for (const Way& way : kWays) {
    const auto reason_of = [&](const std::string& word) {
      return ask_once(way, [&](Exchange& exchange,
                               const Way& of) { exchange.answer(200, {}, joined(pieces(of, "x", word))); })
          .stop_reason;
    };
    CHECK(reason_of(way.is_anthropic() ? "max_tokens" : "length") == StopReason::kLength);
    CHECK(reason_of(way.is_anthropic() ? "refusal" : "content_filter") == StopReason::kContentFilter);
    CHECK(reason_of(way.is_anthropic() ? "tool_use" : "tool_calls") == StopReason::kToolCalls);
    CHECK(reason_of("from_the_future") == StopReason::kStop);
  }
}

TEST_CASE("what is no answer is asked again, and fails with what came") {
  const std::vector<std::pair<std::string, std::string>> bodies = {
      {"", ""},
      {"<html>sign in, sk-planted-0123</html>", "bad_response"},
      {"plain words", "bad_response"},
      {"{\"choices\": [{\"message\": {\"cont", "bad_response"},
      {"{}", "bad_response"},
      {"[]", "bad_response"},
      {"{\"choices\": [], \"content\": 7}", "bad_response"},
      {"{\"choices\": 5, \"content\": {}}", "bad_response"},
      {std::string(5000, '['), "bad_response"},
      {"{\"choices\": [{\"message\": {\"content\": NaN}, \"finish_reason\": \"stop\"}]}", "bad_response"},
      {R"({"choices": [{"message": {"content": {"a": 1}}, "finish_reason": "stop"}],
           "content": [{"type": "text", "text": {"a": 1}}], "stop_reason": "end_turn"})",
       "bad_response"},
      {R"({"choices": [{"message": {"content": 7}, "finish_reason": "stop"}],
           "content": [{"type": "text", "text": 7}], "stop_reason": "end_turn"})",
       "bad_response"},
      {R"({"choices": [{"message": {"content": "x"}, "finish_reason": 7}],
           "content": [{"type": "text", "text": "x"}], "stop_reason": 7})",
       "bad_response"},
      {"\xff\xfe\xfd", "bad_response"},
      {std::string(3, '\0'), "bad_response"}};
  for (const Way& way : kWays) {
    for (const auto& [body, code] : bodies) {
      INFO(body.substr(0, 80));
      const Completion completion =
          ask_once(way, [&text = body](Exchange& exchange, const Way&) { exchange.answer(200, {}, text); });
      REQUIRE(completion.failure);
      CHECK(completion.failure->attempts == 3);
      if (!code.empty()) CHECK(completion.failure->code == code);
      CHECK_THAT(completion.failure->message, !Contains("planted"));
      CHECK_FALSE(completion.failure->stops_run);
      CHECK(completion.text.empty());
    }
  }
}

TEST_CASE("an event with a number where a text or a reason stands is no answer") {
  const auto is_spoiled = [](const Way& way, const Json& event_of_text, const Json& event_of_end) {
    const Completion completion = ask_once(way, [&](Exchange& exchange, const Way&) {
      exchange.answer(200, {}, event(event_of_text) + event(event_of_end) + "data: [DONE]\n\n");
    });
    return completion.failure && completion.failure->code == "bad_response";
  };
  for (const Way& way : kWays) {
    if (!way.streams()) continue;
    for (const bool is_text : {true, false}) {
      const Json text = is_text ? Json(7) : Json("x"), reason = is_text ? Json("stop") : Json(7);
      if (way.is_anthropic()) {
        CHECK(is_spoiled(way,
                         {{"type", "content_block_delta"},
                          {"index", 0},
                          {"delta", {{"type", "text_delta"}, {"text", text}}}},
                         {{"type", "message_delta"}, {"delta", {{"stop_reason", reason}}}}));
      } else {
        CHECK(is_spoiled(
            way, {{"choices", {{{"index", 0}, {"delta", {{"content", text}}}}}}},
            {{"choices", {{{"index", 0}, {"delta", Json::object()}, {"finish_reason", reason}}}}}));
      }
    }
  }
}

TEST_CASE("a status that a retry may cure is asked again, with the body that it has") {
  for (const Way& way : kWays) {
    for (const int status : {408, 409, 429, 500, 502, 503, 504, 522, 529}) {
      for (const std::string& body :
           {std::string("<html>busy</html>"), error_body(way, "server_error", "busy"), std::string(),
            std::string("{\"detail\": [1]}")}) {
        const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
          if (exchange.request.number == 1) return exchange.answer(status, {"Retry-After: 0"}, body);
          answer_well(exchange, of);
        });
        INFO(status << " " << body);
        CHECK(completion.text == "fine");
      }
    }
  }
}

TEST_CASE("what stops the run stops it after one request") {
  struct Row {
    int status;
    std::string code, message, expected;
  };
  const std::vector<Row> rows = {{401, "authentication_error", "No.", "auth"},
                                 {403, "permission_error", "No.", "auth"},
                                 {402, "billing_error", "No.", "quota"},
                                 {404, "not_found_error", "No.", "not_found"},
                                 {400, "invalid_request_error", "Your credit balance is too low", "quota"},
                                 {429, "insufficient_quota", "No.", "quota"},
                                 {301, "", "", "config"}};
  for (const Way& way : kWays) {
    for (const Row& row : rows) {
      std::atomic<int> requests = 0;
      const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
        ++requests;
        exchange.answer(row.status, {"Location: https://elsewhere.example/"},
                        error_body(of, row.code, row.message + " " + kKey));
      });
      INFO(row.status);
      REQUIRE(completion.failure);
      CHECK(completion.failure->code == row.expected);
      CHECK(completion.failure->stops_run);
      CHECK_THAT(completion.failure->message, !Contains("planted"));
      CHECK(requests == 1);
    }
  }
}

TEST_CASE("what is the sample's own fault is not asked again") {
  struct Row {
    int status;
    std::string code, message, expected;
  };
  const std::vector<Row> rows = {
      {400, "invalid_request_error", "m", "request"},
      {413, "request_too_large", "m", "request"},
      {422, "invalid_request_error", "m", "request"},
      {501, "not_supported_error", "m", "request"},
      {429, "rate_limit_exceeded", "Request too large: Limit 1, Requested 2", "request_too_large"}};
  for (const Way& way : kWays) {
    for (const Row& row : rows) {
      const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
        exchange.answer(row.status, {}, error_body(of, row.code, row.message));
      });
      INFO(row.status << " " << row.code);
      REQUIRE(completion.failure);
      CHECK(completion.failure->code == row.expected);
      CHECK(completion.failure->attempts == 1);
      CHECK_FALSE(completion.failure->stops_run);
    }
    const Completion refused = ask_once(way, [&](Exchange& exchange, const Way& of) {
      exchange.answer(400, {}, error_body(of, "content_filter", "No."));
    });
    CHECK(refused.stop_reason == StopReason::kContentFilter);
    CHECK(refused.text.empty());
  }
}

TEST_CASE("a prompt that is too long counts as answered with nothing, and is not asked again") {
  for (const Way& way : kWays) {
    for (const auto& error : {std::pair{"invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"},
                              std::pair{"context_length_exceeded", "m"}}) {
      std::atomic<int> requests = 0;
      const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
        ++requests;
        exchange.answer(400, {}, error_body(of, error.first, error.second));
      });
      CHECK_FALSE(completion.failure);
      CHECK(completion.text.empty());
      CHECK(completion.stop_reason == StopReason::kUnfinished);
      REQUIRE(completion.attempts.size() == 1);
      CHECK(completion.attempts[0].code == "context_exceeded");
      CHECK(requests == 1);
    }
  }
}

TEST_CASE("an error inside a stream counts as its status, and the text before it does not") {
  for (const Way& way : kWays) {
    if (!way.streams()) continue;
    const Completion completion = ask_once(way, [&](Exchange& exchange, const Way& of) {
      const auto parts = pieces(of, exchange.request.number == 1 ? "half" : "fine");
      if (exchange.request.number > 1) return exchange.answer(200, {}, joined(parts));
      exchange.answer(200, {},
                      parts[0] + parts[1] + "data: " + error_body(of, "overloaded_error", "m") + "\n\n");
    });
    CHECK(completion.text == "fine");
    std::atomic<int> requests = 0;
    const Completion quota = ask_once(way, [&](Exchange& exchange, const Way& of) {
      ++requests;
      exchange.answer(200, {},
                      pieces(of, "half")[0] + "data: " + error_body(of, "insufficient_quota", "m") + "\n\n");
    });
    REQUIRE(quota.failure);
    CHECK(quota.failure->code == "quota");
    CHECK(requests == 1);
  }
}

TEST_CASE("a wall clock that jumps changes no wait and no time") {
  class Jumping final : public Clock {
   public:
    time_point now() const override { return kClock.now(); }
    std::chrono::system_clock::time_point utc() const override {
      return std::chrono::system_clock::time_point(std::chrono::hours(++calls_ % 2 == 0 ? 1'000'000 : 1));
    }

   private:
    mutable std::atomic<int> calls_ = 0;
  };
  const Jumping clock;
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.number % 2 == 1) {
      return exchange.answer(
          503, {"Date: Mon, 02 Nov 2026 10:00:00 GMT", "Retry-After: Mon, 02 Nov 2026 10:00:00 GMT"}, "");
    }
    exchange.answer(200, {}, chat("fine"));
  });
  ApiSettings settings = one_lane();
  settings.openai = {server.url("/v1"), kKey};
  settings.first_wait = milliseconds(1);
  const auto runner = make_api_runner(ApiKind::kOpenAi, "tiny", settings, clock, nullptr);
  CollectingSink sink;
  runner->submit({question(0), question(1), question(2)}, sink);
  runner->drain();
  REQUIRE(sink.completions.size() == 3);
  for (const Completion& completion : sink.completions) {
    CHECK(completion.text == "fine");
    CHECK(completion.timing.done - completion.timing.sent < std::chrono::seconds(5));
  }
}

}  // namespace micius
