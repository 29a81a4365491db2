// What a record keeps of every attempt, and prompts that are too long.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/hash.h"
#include "runners/api_trial.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

Request long_question(std::size_t bytes) {
  Request request = question(0);
  request.prompt.input =
      GenerateInput{{{Role::kSystem, "Be brief."}, {Role::kUser, std::string(bytes, 'x')}}};
  return request;
}

std::size_t bytes_of(const SeenRequest& request) {
  return parse_json(request.body, "body").at("messages").at(1).at("content").get<std::string>().size();
}

}  // namespace

TEST_CASE("every attempt of a request is kept: status, error, waits, times, id, bytes") {
  FaultServer server([](Exchange& exchange) {
    switch (exchange.request.number) {
      case 1:  // on a used connection libcurl would try again by itself
        return exchange.reset();
      case 2:
        return exchange.answer(429, {"Retry-After-Ms: 40", "X-Request-Id: second"},
                               error("rate_limit_exceeded", "slow down, " + kKey));
      case 3:
        return exchange.answer(200, {"Request-Id: third"}, "<html>");
      default:
        return exchange.answer(200, {"apim-request-id: last"}, chat("fine"));
    }
  });
  Trial trial(server, one_lane());
  const Completion completion = trial.ask(1).at(0);
  CHECK(completion.text == "fine");
  REQUIRE(completion.attempts.size() == 4);
  const std::vector<Attempt>& a = completion.attempts;
  CHECK(a[0].status == 0);
  CHECK(a[0].code == "connection");
  CHECK_FALSE(a[0].wait_asked);
  CHECK(a[0].waited);
  CHECK(a[1].status == 429);
  CHECK(a[1].code == "rate_limit");
  CHECK_THAT(a[1].message, Contains("slow down") && !Contains("planted"));
  CHECK(a[1].wait_asked == nanoseconds(milliseconds(40)));
  REQUIRE(a[1].waited);
  CHECK(*a[1].waited >= milliseconds(40));
  CHECK(a[1].request_id == "second");
  CHECK(a[2].status == 200);
  CHECK(a[2].code == "bad_response");
  CHECK(a[2].bytes == 6);
  CHECK(a[2].request_id == "third");
  CHECK(a[3].status == 200);
  CHECK(a[3].code.empty());
  CHECK(a[3].message.empty());
  CHECK_FALSE(a[3].waited);
  CHECK(a[3].request_id == "last");
  CHECK(a[3].bytes == chat("fine").size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].began <= a[i].ended);
    if (i > 0) CHECK(a[i].began >= a[i - 1].ended);
  }
  CHECK(a[3].ended <= completion.timing.done - completion.timing.planned);
}

TEST_CASE("a request that fails for good has its attempts too") {
  FaultServer server([](Exchange& exchange) { exchange.answer(500, {}, "no"); });
  Trial trial(server, one_lane(2));
  const Completion completion = trial.ask(1).at(0);
  REQUIRE(completion.failure);
  REQUIRE(completion.attempts.size() == 3);
  CHECK(completion.attempts[1].waited);
  CHECK_FALSE(completion.attempts[2].waited);
}

TEST_CASE("a body that had to be mended leaves the hash of its bytes, whole or streamed") {
  for (const ApiStreaming streaming : {ApiStreaming::kNone, ApiStreaming::kAll}) {
    const std::string body = streaming == ApiStreaming::kNone
                                 ? R"({"choices": [{"finish_reason": "stop", "message": {"content": "a)"
                                   "\xff"
                                   R"("}}]})"
                                 : "data: {\"choices\": [{\"delta\": {\"content\": \"a\\ud83d\"}, "
                                   "\"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n";
    FaultServer server([&](Exchange& exchange) { exchange.answer(200, {}, body); });
    ApiSettings settings = one_lane();
    settings.streaming = streaming;
    Trial trial(server, settings);
    const Completion completion = trial.ask(1).at(0);
    CHECK(completion.text == "a\uFFFD");
    REQUIRE(completion.attempts.size() == 1);
    CHECK(completion.attempts[0].invalid_utf8_sha256 == sha256_hex(body));
  }
}

TEST_CASE("a key that an answer names twice is warned of, once") {
  FaultServer server([](Exchange& exchange) {
    exchange.answer(200, {},
                    R"({"choices": [{"finish_reason": "length", "message": {"content": "b"}, "message": )"
                    R"({"content": "a"}, "finish_reason": "stop"}]})");
  });
  Trial trial(server, one_lane());
  for (const Completion& completion : trial.ask(3)) {
    CHECK(completion.text == "a");
    CHECK(completion.stop_reason == StopReason::kStop);
    CHECK(completion.attempts.at(0).invalid_utf8_sha256.empty());
  }
  REQUIRE(trial.log.lines.size() == 1);
  CHECK_THAT(trial.log.lines[0], Contains("twice"));
}

namespace {

// Asked a question of 8,000 bytes, whose beginning may be left out.
struct CutTrial : Trial {
  explicit CutTrial(FaultServer& server) : Trial(server, settings()) {
    runner->submit({long_question(8000)}, sink);
    runner->drain();
  }
  static ApiSettings settings() {
    ApiSettings cutting = one_lane();
    cutting.truncation = ApiTruncation::kLeft;
    return cutting;
  }
};

}  // namespace

TEST_CASE("with truncation a prompt that is too long loses its beginning, and is asked once more") {
  FaultServer server([](Exchange& exchange) {
    if (bytes_of(exchange.request) > 4000) {
      return exchange.answer(
          400, {},
          error("context_length_exceeded",
                "This model's maximum context length is 1000 tokens. However, you requested "
                "2016 tokens (2000 in the messages, 16 in the completion)."));
    }
    exchange.answer(200, {}, chat("fine"));
  });
  CutTrial trial(server);
  const Completion& completion = trial.sink.completions.at(0);
  CHECK(completion.text == "fine");
  CHECK(completion.cut_tokens == 2000 - 11);  // 11 is what the server counted at last
  CHECK(server.requests() == 2);
  CHECK(bytes_of(server.seen().at(1)) > 2500);
  REQUIRE(completion.attempts.size() == 2);
  CHECK(completion.attempts[0].code == "context_exceeded");
  CHECK(trial.runner->info().options.at("truncate") == "left");
}

TEST_CASE("a prompt that is still too long once it was cut counts as answered with nothing") {
  FaultServer server(
      [](Exchange& exchange) { exchange.answer(400, {}, error("context_length_exceeded", "too long")); });
  CutTrial trial(server);
  const Completion& completion = trial.sink.completions.at(0);
  CHECK_FALSE(completion.failure);
  CHECK(completion.text.empty());
  CHECK(completion.stop_reason == StopReason::kUnfinished);
  CHECK(server.requests() == 2);
  CHECK(bytes_of(server.seen().at(1)) == 4000);
}

TEST_CASE("a prompt that would be cut to nothing is not asked") {
  FaultServer server([](Exchange& exchange) {
    exchange.answer(400, {},
                    error("context_length_exceeded",
                          "This model's maximum context length is 20 tokens. However, you requested 2016 "
                          "tokens (2000 in the messages, 16 in the completion)."));
  });
  CutTrial trial(server);
  const Completion& completion = trial.sink.completions.at(0);
  CHECK_FALSE(completion.failure);
  CHECK(completion.stop_reason == StopReason::kUnfinished);
  CHECK(server.requests() == 1);
  REQUIRE(trial.log.lines.size() == 1);
  CHECK_THAT(trial.log.lines[0], Contains("no room for a prompt"));
}

}  // namespace micius
