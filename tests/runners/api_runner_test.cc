#include "runners/api_runner.h"

#include <atomic>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "base/text.h"
#include "net/echo_answer.h"
#include "runners/api_trial.h"
#include "temp_dir.h"

namespace micius {

using Catch::Contains;

TEST_CASE("a question goes to the server and its answer comes back") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("forty-two", "length")); });
  Trial trial(server);
  const Completion completion = trial.ask(1).at(0);
  CHECK(completion.text == "forty-two");
  CHECK(completion.stop_reason == StopReason::kLength);
  CHECK(completion.prompt_tokens == 11);
  CHECK(completion.completion_tokens == 2);
  CHECK(completion.timing.planned <= completion.timing.sent);
  CHECK(completion.timing.sent < completion.timing.done);
  CHECK_FALSE(completion.failure);
  const SeenRequest seen = server.seen().at(0);
  CHECK(seen.method == "POST");
  CHECK(seen.path == "/v1/chat/completions");
  CHECK(seen.headers.at("authorization") == "Bearer " + kKey);
  CHECK(seen.headers.at("content-type") == "application/json");
  CHECK(parse_json(seen.body, "body").at("messages").at(0).at("content") == "Question 0");
  const RunnerInfo& info = trial.runner->info();
  CHECK(info.name == "openai:tiny");
  CHECK(info.kind == "openai");
  CHECK(info.url == server.url("/v1"));
  CHECK_FALSE(info.weighs);
}

TEST_CASE("a wrong key stops everything, and is not repeated") {
  FaultServer server([](Exchange& exchange) {
    exchange.answer(401, {},
                    error("invalid_api_key", "Incorrect API key: " + kKey + ", that is, sk-planted-***"));
  });
  Trial trial(server, one_lane());
  for (const Completion& completion : trial.ask(20)) {
    REQUIRE(completion.failure);
    CHECK(completion.failure->stops_run);
    CHECK(completion.failure->code == "auth");
    CHECK_THAT(completion.failure->message,
               Contains("HTTP 401 invalid_api_key") && Contains("OPENAI_API_KEY") && !Contains("planted"));
  }
  CHECK(trial.sink.completions.size() == 20);
  CHECK(server.requests() == 1);
}

TEST_CASE("no money stops everything, too fast does not") {
  std::string code = "insufficient_quota";
  FaultServer server([&](Exchange& exchange) {
    if (code == "rate_limit_exceeded" && exchange.request.number > 1)
      return exchange.answer(200, {}, chat("x"));
    exchange.answer(429, {}, error(code, "You exceeded your quota, " + kKey + "."));
  });
  SECTION("no money") {
    Trial trial(server, one_lane());
    const Failure failure = trial.ask(5).at(0).failure.value();
    CHECK(failure.stops_run);
    CHECK(failure.code == "quota");
    CHECK_THAT(failure.message, Contains("You exceeded your quota, ***.") && Contains("no money"));
    CHECK(server.requests() == 1);
  }
  SECTION("too fast") {
    code = "rate_limit_exceeded";
    Trial trial(server, one_lane());
    for (const Completion& completion : trial.ask(5)) CHECK(completion.text == "x");
    CHECK(server.requests() == 6);
  }
}

TEST_CASE("a field that the server does not take is left out from then on") {
  FaultServer server([](Exchange& exchange) {
    const Json body = parse_json(exchange.request.body, "body");
    if (body.contains("max_tokens"))
      return exchange.answer(400, {}, error("unsupported_parameter", "Use another.", "max_tokens"));
    if (body.contains("temperature"))
      return exchange.answer(400, {}, error("unsupported_value", "Only 1.", "temperature"));
    exchange.answer(200, {}, chat("x"));
  });
  Trial trial(server, one_lane(0));
  for (const Completion& completion : trial.ask(10)) CHECK(completion.text == "x");
  CHECK(server.requests() == 12);
  CHECK(parse_json(server.seen().back().body, "body").at("max_completion_tokens") == 16);
  REQUIRE(trial.log.lines.size() == 2);
  CHECK_THAT(trial.log.lines[0], Contains("openai:tiny") && Contains("'max_tokens'"));
}

TEST_CASE("what is one sample's own fault is not asked again") {
  FaultServer server([](Exchange& exchange) {
    const std::string& body = exchange.request.body;
    if (body.find("Question 1\"") != std::string::npos)
      return exchange.answer(400, {}, error("context_length_exceeded", "maximum context length is 8"));
    if (body.find("Question 2\"") != std::string::npos)
      return exchange.answer(400, {}, error("content_filter", "No."));
    if (body.find("Question 3\"") != std::string::npos)
      return exchange.answer(429, {}, error("tokens", "Request too large for a minute: 12000"));
    if (body.find("Question 4\"") != std::string::npos)
      return exchange.answer(422, {}, R"({"detail": [{"msg": "Field required"}]})");
    exchange.answer(200, {}, chat("x"));
  });
  Trial trial(server, one_lane());
  std::map<RequestId, Completion> by_id;
  for (const Completion& completion : trial.ask(6)) by_id[completion.id] = completion;
  CHECK(server.requests() == 6);
  CHECK_FALSE(by_id.at(RequestId{1}).failure);
  CHECK(by_id.at(RequestId{1}).attempts.at(0).code == "context_exceeded");
  CHECK_FALSE(by_id.at(RequestId{2}).failure);
  CHECK(by_id.at(RequestId{2}).stop_reason == StopReason::kContentFilter);
  CHECK(by_id.at(RequestId{2}).text.empty());
  CHECK(by_id.at(RequestId{3}).failure.value().code == "request_too_large");
  CHECK(by_id.at(RequestId{4}).failure.value().code == "request");
  CHECK_THAT(by_id.at(RequestId{4}).failure.value().message, Contains("Field required"));
  CHECK(by_id.at(RequestId{5}).text == "x");
}

TEST_CASE("a server that is wrong in every way loses and doubles nothing") {
  FaultServer server([](Exchange& exchange) {
    switch (exchange.request.number % 20) {
      case 1:
        return exchange.reset();
      case 4:
        return exchange.answer(502, {"Content-Type: text/html"}, "<html>bad gateway</html>");
      case 7:
        return exchange.answer(200, {"Content-Type: text/html"}, "<html>sign in</html>");
      case 10:
        return exchange.answer(200, {}, R"({"choices": [{"message": {"conte)");
      case 13:
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\"");
        return exchange.close();
      case 16:
        return exchange.answer(429, {"Retry-After: 0.01"}, error("rate_limit_exceeded", "Too fast."));
      default:
        exchange.answer(200, {},
                        chat(exchange.request.body.substr(exchange.request.body.find("Question"), 12)));
    }
  });
  ApiSettings settings;
  settings.concurrency = 30;
  settings.retries = 30;
  Trial trial(server, settings);
  std::map<RequestId, int> times;
  for (const Completion& completion : trial.ask(500)) {
    CHECK_FALSE(completion.failure);
    const auto number = static_cast<std::uint64_t>(completion.id);
    CHECK_THAT(completion.text, Catch::StartsWith("Question " + std::to_string(number)));
    ++times[completion.id];
  }
  CHECK(times.size() == 500);
  CHECK(trial.sink.completions.size() == 500);
}

TEST_CASE("attempts that are used up end the sample with the last reason") {
  std::string body = "<html>sign in " + kKey + "</html>";
  int status = 200;
  FaultServer server([&](Exchange& exchange) { exchange.answer(status, {}, body); });
  const auto failure_of = [&] {
    Trial trial(server, one_lane(2));
    return trial.ask(1).at(0).failure.value();
  };
  const Failure page = failure_of();
  CHECK(page.code == "bad_response");
  CHECK(page.attempts == 3);
  CHECK_FALSE(page.stops_run);
  CHECK_THAT(page.message, Contains("sign in ***"));
  body = R"({"choices": [{"message": {"content": "half"}, "finish_reason": null}]})";
  CHECK(failure_of().code == "truncated");
  status = 503;
  body = error("unavailable_error", "Loading model");
  CHECK(failure_of().code == "server");
}

TEST_CASE("requests that are all wrong, addresses and models that are not there, stop the run") {
  int status = 400;
  FaultServer server([&](Exchange& exchange) {
    exchange.answer(status, {"Location: https://elsewhere.example/v1"}, error("bad", "No such field: x"));
  });
  const auto failure_of = [&] {
    Trial trial(server, one_lane());
    return trial.ask(10).back().failure.value();
  };
  Failure failure = failure_of();
  CHECK(failure.stops_run);
  CHECK(failure.code == "request");
  CHECK(server.requests() == 3);
  status = 404;
  failure = failure_of();
  CHECK(failure.stops_run);
  CHECK_THAT(failure.message, Contains("/v1"));
  status = 307;
  failure = failure_of();
  CHECK(failure.stops_run);
  CHECK(failure.code == "config");
  CHECK(server.requests() == 5);
}

TEST_CASE("a model that goes away for a moment is waited for") {
  FaultServer server([](Exchange& exchange) {
    const int number = exchange.request.number;
    if (number == 2 || number == 3)
      return exchange.answer(404, {}, error("model_not_found", "No such model."));
    exchange.answer(200, {}, chat("x"));
  });
  Trial trial(server, one_lane());
  for (const Completion& completion : trial.ask(3)) CHECK(completion.text == "x");
}

TEST_CASE("a server that answers with another model is named once") {
  FaultServer server([](Exchange& exchange) {
    Json body = parse_json(chat("x"), "");
    body["model"] = exchange.request.number > 3 ? "big\x1b[2J" : "tiny-2026-01-01";
    exchange.answer(200, {}, body.dump());
  });
  Trial trial(server, one_lane());
  trial.ask(6);
  REQUIRE(trial.log.lines.size() == 1);
  CHECK_THAT(trial.log.lines[0], Contains("asked for model 'tiny', 'big") && !Contains("\x1b"));
}

namespace {

// With a price of a dollar a million tokens, of the server's address.
ApiSettings with_budget(const FaultServer& server, double usd) {
  const TempDir folder;
  std::ofstream(folder.path() / "prices.json")
      << R"({"micius_prices": 1, "prices": [{"provider": "openai", "url": ")" << server.url("/v1")
      << R"(", "model": "tiny", "from": "2024-01-01", "input": "1.00", "output": "1.00"}]})";
  ApiSettings settings = one_lane();
  settings.prices = Prices::read(folder.path() / "prices.json");
  settings.day = "2026-01-01";
  settings.budget_usd = usd;
  return settings;
}

}  // namespace

TEST_CASE("a budget is not kept by a server that takes no limit of an answer") {
  FaultServer server([](Exchange& exchange) {
    const Json body = parse_json(exchange.request.body, "body");
    for (const char* name : {"max_tokens", "max_completion_tokens"}) {
      if (body.contains(name))
        return exchange.answer(400, {}, error("unsupported_parameter", std::string("no ") + name, name));
    }
    exchange.answer(200, {}, chat("x"));
  });
  Trial trial(server, with_budget(server, 1));
  const auto& completions = trial.ask(2);
  REQUIRE(completions.size() == 2);
  for (const Completion& completion : completions) {
    REQUIRE(completion.failure);
    CHECK(completion.failure->code == "budget");
    CHECK_THAT(completion.failure->message, Contains("no limit of an answer's length"));
    CHECK(completion.failure->stops_run);
  }
  CHECK(server.requests() == 2);
  Trial free(server, one_lane());
  CHECK_FALSE(free.ask(1)[0].failure);
}

TEST_CASE("pairs are timed from the first that is sent, and what servers count cannot overflow") {
  // The ids of a prompt are those of its words.
  FaultServer server([](Exchange& exchange) {
    const Json prompt = parse_json(exchange.request.body, "body").at("prompt");
    if (exchange.request.path == "/tokenize") {
      Json ids = Json::array();
      for (std::size_t word = 0; word < split(prompt.get<std::string>(), ' ').size(); ++word)
        ids.push_back(word);
      return exchange.answer(200, {}, Json{{"tokens", ids}}.dump());
    }
    if (prompt.is_string()) return exchange.answer(200, {}, echo_of(prompt));
    Json by_id = Json::array();
    for (const Json& id : prompt)
      by_id.push_back(by_id.empty() ? Json() : Json{{id.dump(), {{"logprob", -1.0}, {"rank", 1}}}});
    exchange.pause(40);
    const Json answer = {
        {"choices", {{{"finish_reason", "length"}, {"prompt_logprobs", by_id}}}},
        {"usage", {{"prompt_tokens", 18'000'000'000'000'000'000U}, {"completion_tokens", -1}}}};
    exchange.answer(200, {}, answer.dump());
  });
  ApiSettings settings = one_lane();
  settings.likelihoods = ApiLikelihoods::kByEcho;
  Trial trial(server, settings);
  REQUIRE(trial.runner->info().weighs);
  Request request;
  request.id = RequestId{0};
  request.prompt = {"0", LikelihoodInput{{}, {{"one two", " three"}, {"one two", " four"}, {"one", " two"}}}};
  trial.runner->submit({request}, trial.sink);
  trial.runner->drain();
  REQUIRE(trial.sink.completions.size() == 1);
  const Completion& completion = trial.sink.completions[0];
  REQUIRE_FALSE(completion.failure);
  CHECK(completion.likelihoods.at(2).logprob == -1);
  CHECK(completion.timing.done - completion.timing.sent >= std::chrono::milliseconds(3 * 40 - 5));
  CHECK(completion.prompt_tokens == std::numeric_limits<int>::max());
  CHECK(completion.completion_tokens == 0);
}

TEST_CASE("likelihoods are not asked for") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  Trial trial(server);
  Request request;
  request.prompt = {"s", LikelihoodInput{{}, {{"a", "b"}}}};
  trial.runner->submit({request}, trial.sink);
  trial.runner->drain();
  CHECK(trial.sink.completions.at(0).failure.value().code == "no_likelihoods");
  CHECK(server.requests() == 0);
}

}  // namespace micius
