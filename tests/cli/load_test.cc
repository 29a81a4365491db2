// `micius bench load` against a server of the test's own, whose times are known.
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "cli/program.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;

const std::string kKey = "sk-planted-0123456789abcdef";

std::string event(const Json& json) { return "data: " + json.dump() + "\n\n"; }

std::string piece(const std::string& text) {
  return event({{"choices", {{{"index", 0}, {"delta", {{"content", text}}}, {"finish_reason", nullptr}}}}});
}

// Three pieces with a pause before each; then the end with the usage.
void stream(Exchange& exchange, int pause_ms) {
  exchange.head(200, {"Content-Type: text/event-stream", "Connection: close"});
  exchange.send(event({{"choices", {{{"index", 0}, {"delta", {{"role", "assistant"}, {"content", ""}}}}}}}));
  for (const char* text : {"a", "b", "c"}) {
    exchange.pause(pause_ms);
    exchange.send(piece(text));
  }
  exchange.send(event({{"choices", {{{"index", 0}, {"delta", Json::object()}, {"finish_reason", "stop"}}}}}));
  exchange.send(
      event({{"choices", Json::array()}, {"usage", {{"prompt_tokens", 7}, {"completion_tokens", 3}}}}));
  exchange.send("data: [DONE]\n\n");
  exchange.close();
}

struct Session {
  explicit Session(const FaultServer& server) : url(server.url("/v1")) {}
  Outcome load(std::vector<std::string> arguments) const {
    std::vector<std::string> all = {"bench", "load", "--base-url", url, "--model", "tiny"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_micius(folder.path(), {"OPENAI_API_KEY=" + kKey, "no_proxy=127.0.0.1"}, all);
  }
  Json report(std::vector<std::string> arguments, int exit_code = 0) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome outcome = load(std::move(arguments));
    INFO(outcome.err);
    CHECK(outcome.exit_code == exit_code);
    return parse_json(outcome.out, "report");
  }
  TempDir folder;
  std::string url;
};

double value(const Json& report, const std::string& latency, const std::string& quantile) {
  return report.at(latency).at(quantile).at("value");
}

}  // namespace

TEST_CASE("a load's latencies are those of the stream, its tokens those of the usage") {
  FaultServer server([](Exchange& exchange) { stream(exchange, 60); });
  const Session session(server);
  const Json report =
      session.report({"--rate", "50", "--requests", "12", "--arrivals", "constant", "--ttft-limit-ms",
                      "100000", "--prompt-words", "5", "--max-tokens", "9"});
  CHECK(report.at("schema") == "micius.load/1");
  CHECK(report.at("requests").at("completed") == 12);
  CHECK(report.at("tokens").at("prompt") == 84);
  CHECK(report.at("tokens").at("completion") == 36);
  CHECK(report.at("ttft_ms").at("min").get<double>() >= 60);
  CHECK(report.at("itl_ms").at("n") == 24);
  CHECK(value(report, "itl_ms", "p50") >= 40);
  CHECK(report.at("e2e_ms").at("min").get<double>() >= 180);
  CHECK(report.at("goodput").at("fraction").at("value") == 1);
  const SeenRequest seen = server.seen().at(0);
  CHECK(seen.path == "/v1/chat/completions");
  CHECK(seen.headers.at("authorization") == "Bearer " + kKey);
  const Json body = parse_json(seen.body, "body");
  CHECK(body.at("stream") == true);
  CHECK(body.at("max_tokens") == 9);
  const Json messages = body.at("messages");
  CHECK(server.seen().at(1).body.find(messages.at(0).at("content").get<std::string>()) == std::string::npos);
}

TEST_CASE("a server that serves one at a time cannot hide its queue") {
  std::mutex one;
  FaultServer server([&](Exchange& exchange) {
    const std::lock_guard lock(one);
    stream(exchange, 30);  // 90 ms each, and 25 come every second
  });
  const Session session(server);
  const Json open =
      session.report({"--rate", "25", "--requests", "20", "--arrivals", "constant", "--e2e-limit-ms", "300"});
  // The last of 20 ends after 1,800 ms at the earliest and was planned for 760.
  CHECK(open.at("e2e_ms").at("max").get<double>() >= 1000);
  CHECK(open.at("goodput").at("fraction").at("value").get<double>() < 0.5);
  CHECK(open.at("lateness_ms").at("n") == 20);
  const Json closed = session.report({"--concurrency", "1", "--requests", "5"});
  CHECK(closed.at("arrivals") == "closed");
  // Its clients wait for the server, so that its queue is in no latency: half of the open ones are 590 ms.
  CHECK(2 * value(closed, "e2e_ms", "p50") < value(open, "e2e_ms", "p50"));
}

TEST_CASE("prompts are other ones each time, unless a seed is given") {
  FaultServer server([](Exchange& exchange) { stream(exchange, 0); });
  const Session session(server);
  const auto body_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"--concurrency", "1", "--requests", "1"};
    words.insert(words.end(), more.begin(), more.end());
    const Json report = session.report(words);
    return std::pair(server.seen().back().body, report.at("seed").get<std::size_t>());
  };
  const auto first = body_of({}), second = body_of({});
  CHECK(first.first != second.first);
  CHECK(first.second != second.second);
  CHECK(body_of({"--seed", std::to_string(first.second)}) == first);
  const Outcome text = session.load({"--concurrency", "1", "--requests", "1", "--seed", "77"});
  CHECK_THAT(text.out, Contains("seed 77"));
}

TEST_CASE("requests that fail are counted by what happened, and the load exits 1") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.number % 3 == 1) return exchange.answer(503, {}, "no, " + kKey);
    if (exchange.request.number % 3 == 2) {
      exchange.head(200, {"Content-Type: text/event-stream", "Connection: close"});
      exchange.send(piece("half"));
      return exchange.close();
    }
    stream(exchange, 1);
  });
  const Session session(server);
  const Json report =
      session.report({"--concurrency", "1", "--requests", "9", "--ttft-limit-ms", "100000"}, 1);
  CHECK(report.at("requests").at("failures").at("HTTP 503") == 3);
  CHECK(report.at("requests").at("failures").at("no end of the stream") == 3);
  CHECK(report.at("requests").at("completed") == 3);
  CHECK(report.at("goodput").at("fraction").at("value").get<double>() == Approx(1.0 / 3));
  const Outcome text = session.load({"--concurrency", "2", "--requests", "6"});
  CHECK_THAT(text.out, Contains("failed: ") && Contains("first token (TTFT)"));
  CHECK((text.out + text.err).find("planted") == std::string::npos);
}

TEST_CASE("a load that cannot be sent says what is missing") {
  FaultServer server([](Exchange& exchange) { stream(exchange, 1); });
  const Session session(server);
  CHECK_THAT(session.load({}).err, Contains("--rate R"));
  CHECK(session.load({"--rate", "1", "--concurrency", "2"}).exit_code == 2);
  CHECK_THAT(session.load({"--rate", "1", "--arrivals", "possion"}).err, Contains("possion"));
  write_file_atomic(session.folder.path() / "prompts.jsonl", "{\"prompt\": \"x\"}\n{\"promt\": \"y\"}\n");
  CHECK_THAT(session.load({"--rate", "1", "--prompts", "prompts.jsonl"}).err, Contains("prompts.jsonl:2"));
  CHECK(server.requests() == 0);
}

}  // namespace micius
