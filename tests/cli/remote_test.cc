// Remote models as a user runs them, against a server of the test's own.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "cli/program.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

const std::string kKey = "sk-planted-0123456789abcdef";

std::string chat(const std::string& text) {
  return Json{
      {"model", "tiny"},
      {"choices", {{{"finish_reason", "stop"}, {"message", {{"role", "assistant"}, {"content", text}}}}}},
      {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 2}}}}
      .dump();
}

struct Session {
  explicit Session(const FaultServer& server) : url(server.url("/v1")) {}
  Outcome run(std::vector<std::string> arguments) const {
    return run_micius(folder.path(),
                      {"HOME=" + folder.path().string(), "OPENAI_API_KEY=" + kKey, "no_proxy=127.0.0.1",
                       "MICIUS_DB=micius.db"},
                      arguments);
  }
  // In every file that the program left, its output among them.
  bool has_key_anywhere() const {
    for (const auto& file : fs::recursive_directory_iterator(folder.path())) {
      if (file.is_regular_file() && read_file(file.path()).find("planted") != std::string::npos) return true;
    }
    return false;
  }

  TempDir folder;
  std::string url;
};

}  // namespace

TEST_CASE("a remote model is evaluated as any other, and its key is nowhere") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.number == 2) return exchange.answer(500, {}, "no, " + kKey);
    exchange.answer(200, {}, chat("nvidia-smi -L, with " + kKey));
  });
  const Session session(server);
  const Outcome outcome =
      session.run({"run", "infrawise", "--model", "openai:tiny", "--base-url", session.url, "--limit", "3",
                   "--report", "report.html", "--concurrency", "4"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK_FALSE(session.has_key_anywhere());
  const Outcome report = session.run({"report", "latest", "--format", "json"});
  const Json run = parse_json(report.out, "report").at("reports").at(0).at("run");
  CHECK(run.at("model").at("kind") == "openai");
  CHECK(run.at("model").at("name") == "openai:tiny");
}

TEST_CASE("no money stops a run, and resume goes on without asking twice") {
  std::atomic<bool> has_money = false;
  FaultServer server([&](Exchange& exchange) {
    if (!has_money && exchange.request.number > 6) {
      return exchange.answer(429, {},
                             R"({"error": {"message": "Out of quota, )" + kKey +
                                 R"(", "type": "insufficient_quota", "code": "insufficient_quota"}})");
    }
    exchange.answer(200, {}, chat("x"));
  });
  const Session session(server);
  const Outcome stopped = session.run({"run", "cmdgen:robust", "--model", "openai:tiny@" + session.url,
                                       "--limit", "10", "--concurrency", "1", "--progress", "none"});
  INFO(stopped.err);
  CHECK(stopped.exit_code == 1);
  CHECK_THAT(stopped.err, Contains("quota: ") && Contains("micius resume 1"));
  CHECK(server.requests() == 7);
  has_money = true;
  const Outcome resumed = session.run({"resume", "--progress", "none"});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(server.requests() == 11);
  CHECK_FALSE(session.has_key_anywhere());
}

TEST_CASE("a wrong key stops all runs of a model") {
  FaultServer server(
      [](Exchange& exchange) { exchange.answer(401, {}, "{\"error\": {\"message\": \"" + kKey + "\"}}"); });
  const Session session(server);
  const Outcome outcome = session.run({"run", "infrawise,cmdgen", "--model", "openai:tiny", "--base-url",
                                       session.url, "--limit", "5", "--concurrency", "1"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("auth: ") && Contains("HTTP 401"));
  CHECK(server.requests() == 1);
  CHECK_FALSE(session.has_key_anywhere());
}

TEST_CASE("likelihood tasks are refused before the first request") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  const Session session(server);
  std::ofstream(session.folder.path() / "cases.jsonl")
      << R"({"q": "1 + 1 =", "options": ["2", "3"], "right": "2"})"
      << "\n";
  std::ofstream(session.folder.path() / "choice.json")
      << R"({"micius_task": 1, "name": "choice", "version": 1,
             "dataset": {"loader": "jsonl", "path": "cases.jsonl", "input": "q", "targets": "right", "choices": "options"},
             "prompt": {"context": "{{input}}", "continuation": " {{choice}}"},
             "scorer": {"name": "choice"}, "metrics": ["acc"]})";
  const Outcome outcome =
      session.run({"run", "./choice.json", "--model", "openai:tiny", "--base-url", session.url});
  CHECK(outcome.exit_code == 2);
  CHECK_THAT(outcome.err, Contains("needs log-likelihoods") && Contains("micius list models"));
  CHECK(server.requests() == 0);
}

TEST_CASE("a remote model without a key or a server is refused at once") {
  const TempDir folder;
  const auto run = [&](const std::vector<std::string>& arguments) {
    return run_micius(folder.path(), {"-u", "OPENAI_API_KEY", "-u", "OPENAI_BASE_URL"}, arguments);
  };
  const Outcome no_key = run({"run", "infrawise", "--model", "openai:gpt-4o"});
  CHECK(no_key.exit_code == 2);
  CHECK_THAT(no_key.err, Contains("OPENAI_API_KEY") && Contains("--base-url"));
  CHECK(run({"run", "infrawise", "--model", "openai:m", "--base-url", "models.example"}).exit_code == 2);
  CHECK(run({"run", "infrawise", "--model", "openai:"}).exit_code == 2);
  CHECK_THAT(run({"list", "runners"}).out, Contains("openai"));
}

}  // namespace micius
