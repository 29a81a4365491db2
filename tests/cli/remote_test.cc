// Remote models as a user runs them, against a server of the test's own.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "cli/remote_session.h"
#include "net/echo_answer.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

// Two questions of two choices; the first choice of each is the better one, and right for the first question.
void write_choice_task(const fs::path& folder) {
  std::ofstream(folder / "cases.jsonl") << R"({"q": "1 + 1 =", "options": ["2", "3"], "right": "2"})"
                                        << "\n"
                                        << R"({"q": "1 + 2 =", "options": ["2", "3"], "right": "3"})"
                                        << "\n";
  std::ofstream(folder / "choice.json") << R"({"micius_task": 1, "name": "choice", "version": 1,
             "dataset": {"loader": "jsonl", "path": "cases.jsonl", "input": "q", "targets": "right", "choices": "options"},
             "prompt": {"context": "{{input}}", "continuation": " {{choice}}"},
             "scorer": {"name": "choice"}, "metrics": ["acc"]})";
}

}  // namespace

TEST_CASE("a remote model is evaluated as any other, and its key is nowhere") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.number == 2) return exchange.answer(500, {}, "no, " + kKey);
    exchange.answer(200, {}, chat("nvidia-smi -L, with " + kKey));
  });
  const RemoteSession session(server);
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

TEST_CASE("what a server does not take is in the record of each run of its model") {
  FaultServer server([](Exchange& exchange) {
    if (parse_json(exchange.request.body, "body").contains("temperature"))
      return exchange.answer(
          400, {}, R"({"error": {"message": "no", "code": "unsupported_value", "param": "temperature"}})");
    exchange.answer(200, {}, chat("x"));
  });
  const RemoteSession session(server);
  const Outcome outcome = session.run({"run", "infrawise,nl2kql", "--model", "openai:tiny@" + session.url,
                                       "--limit", "2", "--concurrency", "1", "--progress", "none"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(server.requests() == 5);
  const Outcome report = session.run({"report", "latest", "--format", "json"});
  const Json reports = parse_json(report.out, "report").at("reports");
  REQUIRE(reports.size() == 2);
  for (const Json& one : reports) {
    const Json notes = one.at("run").value("notes", Json::array());
    CHECK(std::count(notes.begin(), notes.end(),
                     "openai:tiny: the server does not take 'temperature'; it is left out or renamed") == 1);
  }
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
  const RemoteSession session(server);
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
  const RemoteSession session(server);
  const Outcome outcome = session.run({"run", "infrawise,cmdgen", "--model", "openai:tiny", "--base-url",
                                       session.url, "--limit", "5", "--concurrency", "1"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("auth: ") && Contains("HTTP 401"));
  CHECK(server.requests() == 1);
  CHECK_FALSE(session.has_key_anywhere());
}

TEST_CASE("likelihood tasks are refused where the server ignores echo, before the first sample") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  const RemoteSession session(server);
  write_choice_task(session.folder.path());
  const Outcome outcome =
      session.run({"run", "./choice.json", "--model", "openai:tiny", "--base-url", session.url});
  CHECK(outcome.exit_code == 2);
  CHECK_THAT(outcome.err, Contains("needs log-likelihoods") && Contains("micius list models") &&
                              Contains("vLLM") && Contains("answered in text") && Contains("answered 200"));
  REQUIRE(server.requests() == 1);
  CHECK(server.seen().at(0).path == "/v1/completions");
  CHECK_FALSE(session.has_key_anywhere());
}

TEST_CASE("a server that echoes its prompt's log-probabilities weighs choices") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.path != "/v1/completions") return exchange.answer(404, {}, "{}");
    exchange.answer(200, {}, echo_of(parse_json(exchange.request.body, "body").at("prompt")));
  });
  const RemoteSession session(server);
  write_choice_task(session.folder.path());
  const std::vector<std::string> command = {
      "run", "./choice.json", "--model", "openai:tiny@" + session.url, "--progress", "none"};
  const Outcome outcome = session.run(command);
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(server.requests() == 2 + 4);  // the probe, /tokenize, a request a choice
  const Outcome records = session.run({"show", "latest", "--samples", "--format", "jsonl"});
  const auto lines = split(strip(records.out), '\n');
  REQUIRE(lines.size() == 2);
  const Json turn = parse_json(lines[0], "record").at("turns").at(0);
  CHECK(turn.at("likelihoods").at(0) == Json({{"logprob", -1.0}, {"tokens", 1}, {"greedy", true}}));
  CHECK(turn.at("likelihoods").at(1) == Json({{"logprob", -3.0}, {"tokens", 1}, {"greedy", false}}));
  CHECK(parse_json(lines[0], "record").at("verdict") == "correct");
  CHECK(parse_json(lines[1], "record").at("verdict") == "incorrect");
  const Outcome report = session.run({"report", "latest", "--format", "json"});
  const Json run = parse_json(report.out, "report").at("reports").at(0).at("run");
  CHECK(run.at("options").dump().find("split by offsets") != std::string::npos);
}

TEST_CASE("a likelihood run that was stopped goes on by the same way") {
  std::atomic<bool> has_money = false;
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.path != "/v1/completions") return exchange.answer(404, {}, "{}");
    if (!has_money && exchange.request.number > 4)
      return exchange.answer(429, {}, R"({"error": {"message": "m", "code": "insufficient_quota"}})");
    exchange.answer(200, {}, echo_of(parse_json(exchange.request.body, "body").at("prompt")));
  });
  const RemoteSession session(server);
  write_choice_task(session.folder.path());
  const Outcome stopped = session.run({"run", "./choice.json", "--model", "openai:tiny@" + session.url,
                                       "--concurrency", "1", "--progress", "none"});
  CHECK(stopped.exit_code == 1);
  has_money = true;
  const Outcome resumed = session.run({"resume", "--progress", "none"});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
}

TEST_CASE("Azure and Anthropic are evaluated as any other, streamed, and their keys are nowhere") {
  FaultServer server([](Exchange& exchange) {
    const SeenRequest& asked = exchange.request;
    if (asked.number % 5 == 0) return exchange.answer(500, {}, "no, " + kKey);
    const bool is_azure = asked.path == "/openai/deployments/tiny/chat/completions?api-version=2024-10-21";
    if (is_azure && asked.headers.at("api-key") == kKey) {
      return exchange.answer(200, {},
                             "data: {\"choices\": [], \"prompt_filter_results\": []}\n\n"
                             "data: {\"choices\": [{\"delta\": {\"content\": \"ls " +
                                 kKey + "\"}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n");
    }
    if (asked.path == "/v1/messages" && asked.headers.at("x-api-key") == kKey) {
      return exchange.answer(
          200, {},
          "data: {\"type\": \"content_block_delta\", \"delta\": {\"type\": \"text_delta\", "
          "\"text\": \"ls\"}}\n\ndata: {\"type\": \"message_delta\", \"delta\": "
          "{\"stop_reason\": \"end_turn\"}}\n\ndata: {\"type\": \"message_stop\"}\n\n");
    }
    exchange.answer(401, {}, "{\"error\": {\"message\": \"" + kKey + "\"}}");
  });
  const RemoteSession session(server);
  const Outcome outcome =
      session.run({"run", "infrawise", "--model", "azure:tiny,anthropic:tiny", "--api-version", "2024-10-21",
                   "--stream", "on", "--limit", "3", "--report", "report.html", "--progress", "none"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK_FALSE(session.has_key_anywhere());
  const Outcome report = session.run({"report", "latest", "--format", "json"});
  const Json reports = parse_json(report.out, "report").at("reports");
  REQUIRE(reports.size() == 2);
  CHECK(reports.at(0).at("run").at("model").at("kind") == "azure");
  CHECK(reports.at(1).at("run").at("model").at("kind") == "anthropic");
}

TEST_CASE("a server's vectors score by cosine where MICIUS_EMBEDDER says so") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.path != "/v1/embeddings") return exchange.answer(404, {}, "{}");
    Json data = Json::array();
    const Json input = parse_json(exchange.request.body, "body").at("input");
    for (std::size_t i = 0; i < input.size(); ++i) data.push_back({{"index", i}, {"embedding", {3, 4}}});
    exchange.answer(200, {}, Json{{"data", data}}.dump());
  });
  const RemoteSession session(server);
  const Outcome outcome = run_micius(
      session.folder.path(),
      {"OPENAI_API_KEY=" + kKey, "MICIUS_EMBEDDER=openai:vectors@" + session.url, "MICIUS_DB=micius.db"},
      {"run", "cmdgen", "--model", "reference", "--limit", "2", "--progress", "none", "--report",
       "report.json"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(server.requests() > 0);
  CHECK(server.seen().at(0).headers.at("authorization") == "Bearer " + kKey);
  CHECK_FALSE(session.has_key_anywhere());
}

TEST_CASE("a dry run says what it would cost, and asks nothing") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  const RemoteSession session(server);
  write_prices(session.folder.path(), session.url);
  const std::vector<std::string> command = {
      "run",          "infrawise", "--model",   "openai:tiny@" + session.url,
      "--limit",      "3",         "--repeats", "2",
      "--max-tokens", "100",       "--dry-run", "--format",
      "json"};
  const Outcome unknown = session.run(command);
  INFO(unknown.err);
  CHECK(unknown.exit_code == 0);
  CHECK(parse_json(unknown.out, "dry run").at("runs").at(0).at("cost_usd").is_null());
  std::vector<std::string> priced = command;
  priced.insert(priced.end(), {"--prices", "prices.json"});
  const Json row = parse_json(session.run(priced).out, "dry run").at("runs").at(0);
  CHECK(row.at("samples") == 6);
  CHECK(row.at("completion_tokens_at_most") == 600);
  const double prompt = row.at("prompt_tokens").get<double>();
  CHECK(prompt > 0);
  CHECK(row.at("cost_usd").at("low").get<double>() == Approx(prompt / 1e6));
  CHECK(row.at("cost_usd").at("high").get<double>() == Approx((prompt + 1200) / 1e6));
  CHECK(server.requests() == 0);
  CHECK_FALSE(fs::exists(session.folder.path() / "micius.db"));
}

TEST_CASE("a dry run plans choices by log-likelihood, and asks no server for them") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  const RemoteSession session(server);
  write_choice_task(session.folder.path());
  const Outcome outcome = session.run(
      {"run", "./choice.json", "--model", "openai:tiny@" + session.url, "--dry-run", "--format", "json"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("is taken to give log-likelihoods"));
  const Json row = parse_json(outcome.out, "dry run").at("runs").at(0);
  CHECK(row.at("samples") == 2);
  CHECK(row.at("completion_tokens_at_most") == 4);  // one a choice
  CHECK(server.requests() == 0);
}

TEST_CASE("a run knows what it cost, and a budget stops it before it costs more") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("x")); });
  const RemoteSession session(server);
  write_prices(session.folder.path(), session.url);
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"run",     "infrawise",  "--model",       "openai:tiny@" + session.url,
                                      "--limit", "3",          "--concurrency", "1",
                                      "--fresh", "--progress", "none"};
    words.insert(words.end(), more.begin(), more.end());
    return session.run(words);
  };
  const auto cost = [&] {
    const Outcome report = session.run({"report", "latest", "--format", "json"});
    return parse_json(report.out, "report").at("reports").at(0).at("usage").at("cost_usd");
  };
  CHECK(run({}).exit_code == 0);
  CHECK(cost().is_null());
  CHECK(run({"--prices", "prices.json", "--budget", "1"}).exit_code == 0);
  CHECK(cost().get<double>() == Approx(3 * (11 * 1e-6 + 2 * 2e-6)));
  CHECK(server.requests() == 6);
  const Outcome stopped = run({"--prices", "prices.json", "--budget", "0"});
  CHECK(stopped.exit_code == 1);
  CHECK_THAT(stopped.err, Contains("budget: ") && Contains("micius resume 3"));
  CHECK(server.requests() == 6);
  const Outcome unknown = run({"--budget", "1"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, Contains("no price of openai:tiny") && Contains("--prices"));
}

TEST_CASE("a key in a file opens a server as one in the environment, and is nowhere else") {
  FaultServer server([](Exchange& exchange) {
    const bool is_open = exchange.request.headers.at("authorization") == "Bearer " + kKey;
    if (exchange.request.number == 2) return exchange.answer(429, {"Retry-After-Ms: 1"}, "slow, " + kKey);
    exchange.answer(is_open ? 200 : 401, {}, is_open ? chat("x " + kKey) : "no");
  });
  const TempDir keys, folder;
  const fs::path key = keys.path() / "openai";
  std::ofstream(key) << kKey << "\n";
  const auto run = [&](const std::string& name) {
    return run_micius(folder.path(),
                      {"-u", "OPENAI_API_KEY", "OPENAI_API_KEY_FILE=" + key.string(), "MICIUS_DB=micius.db",
                       "HOME=" + folder.path().string()},
                      {"run", "infrawise", "--model", "openai:tiny@" + server.url("/v1"), "--limit", "3",
                       "--concurrency", "1", "--progress", "none", "--report", name});
  };
  fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  const Outcome open = run("report.html");
  CHECK(open.exit_code == 2);
  CHECK_THAT(open.err, Contains("chmod 600 " + key.string()));
  CHECK(server.requests() == 0);
  fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
  const Outcome closed = run("report.html");
  INFO(closed.err);
  CHECK(closed.exit_code == 0);
  CHECK(server.requests() == 4);
  for (const auto& file : fs::recursive_directory_iterator(folder.path()))
    if (file.is_regular_file()) CHECK(read_file(file.path()).find("planted") == std::string::npos);
  CHECK((closed.out + closed.err).find("planted") == std::string::npos);
}

TEST_CASE("show prints the attempts of a sample") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.number == 1) return exchange.answer(503, {"X-Request-Id: abc"}, "busy");
    exchange.answer(200, {}, chat("x"));
  });
  const RemoteSession session(server);
  const Outcome outcome = session.run(
      {"run", "infrawise", "--model", "openai:tiny@" + session.url, "--limit", "1", "--progress", "none"});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK_THAT(session.run({"show", "1", "--samples"}).out, Contains("attempts") &&
                                                              Contains("1  HTTP 503 server") &&
                                                              Contains("id abc") && Contains("2  HTTP 200,"));
  const Outcome report = session.run({"report", "1", "--format", "json"});
  CHECK(parse_json(report.out, "report").at("reports").at(0).at("usage").at("retries") == 1);
}

TEST_CASE("a text task has the same spec beside a likelihood task as alone") {
  FaultServer server([](Exchange& exchange) {
    if (exchange.request.path == "/tokenize") return exchange.answer(404, {}, "{}");
    if (exchange.request.path != "/v1/completions") return exchange.answer(200, {}, chat("x"));
    exchange.answer(200, {}, echo_of(parse_json(exchange.request.body, "body").at("prompt")));
  });
  const RemoteSession session(server);
  write_choice_task(session.folder.path());
  const std::string model = "openai:tiny@" + session.url;
  CHECK(
      session.run({"run", "./choice.json,infrawise", "--model", model, "--limit", "2", "--progress", "none"})
          .exit_code == 0);
  CHECK(session.run({"run", "infrawise", "--model", model, "--limit", "2", "--progress", "none"}).exit_code ==
        0);
  const Outcome report = session.run({"report", "1,2,3", "--format", "json"});
  const Json reports = parse_json(report.out, "report").at("reports");
  REQUIRE(reports.size() == 3);
  CHECK(reports.at(0).at("run").at("options").dump().find("split by offsets") != std::string::npos);
  CHECK(reports.at(1).at("run").at("spec_sha256") == reports.at(2).at("run").at("spec_sha256"));
}

TEST_CASE("a run keeps to --truncate, which is part of its spec") {
  std::atomic<bool> has_money = false;
  FaultServer server([&](Exchange& exchange) {
    const auto messages = parse_json(exchange.request.body, "body").at("messages");
    const std::size_t size = messages.back().at("content").get<std::string>().size();
    if (!has_money && exchange.request.number > 3)
      return exchange.answer(429, {}, R"({"error": {"message": "m", "code": "insufficient_quota"}})");
    if (size > 300)
      return exchange.answer(400, {},
                             R"({"error": {"message": "prompt is too long: 1000 tokens > 200 maximum"}})");
    exchange.answer(200, {}, chat("x"));
  });
  const RemoteSession session(server);
  std::ofstream(session.folder.path() / "cases.jsonl")
      << R"({"q": ")" << std::string(1000, 'a') << R"(", "right": "x"})"
      << "\n"
      << R"({"q": ")" << std::string(1000, 'b') << R"(", "right": "x"})"
      << "\n";
  std::ofstream(session.folder.path() / "long.json") << R"({"micius_task": 1, "name": "long", "version": 1,
             "dataset": {"loader": "jsonl", "path": "cases.jsonl", "input": "q", "targets": "right"},
             "prompt": {"user": "{{input}}"}, "generate": {"max_tokens": 16},
             "scorer": {"name": "exact"}, "metrics": ["acc"]})";
  const Outcome stopped = session.run({"run", "./long.json", "--model", "openai:tiny@" + session.url,
                                       "--truncate", "left", "--concurrency", "1", "--progress", "none"});
  INFO(stopped.err);
  CHECK(stopped.exit_code == 1);
  has_money = true;
  const Outcome resumed = session.run({"resume", "--progress", "none"});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK_THAT(session.run({"show", "1", "--samples"}).out, Contains("cut: about 989 tokens"));
}

TEST_CASE("an imported run does not say where the key goes") {
  std::atomic<bool> has_money = false;
  FaultServer server([&](Exchange& exchange) {
    if (!has_money && exchange.request.number > 1)
      return exchange.answer(429, {}, R"({"error": {"message": "m", "code": "insufficient_quota"}})");
    exchange.answer(200, {}, chat("x"));
  });
  const RemoteSession session(server);
  CHECK(session
            .run({"run", "infrawise", "--model", "openai:tiny@" + session.url, "--limit", "3",
                  "--concurrency", "1", "--progress", "none"})
            .exit_code == 1);
  CHECK(session.run({"export", "1", "-o", "run.micius"}).exit_code == 0);
  CHECK(session.run({"import", "run.micius", "--db", "other.db"}).exit_code == 0);
  has_money = true;
  const int before = static_cast<int>(server.requests());
  const Outcome bare = session.run({"resume", "--db", "other.db", "--progress", "none"});
  CHECK(bare.exit_code == 0);
  CHECK_THAT(bare.err, Contains("imported runs of remote models are left out") &&
                           Contains("micius resume 1 --db other.db"));
  const Outcome named = session.run({"resume", "1", "--db", "other.db", "--progress", "none"});
  CHECK(named.exit_code == 2);
  CHECK_THAT(named.err, Contains(session.url) && Contains("https://api.openai.com/v1") &&
                            Contains("--base-url " + session.url));
  CHECK(static_cast<int>(server.requests()) == before);
  const Outcome told =
      session.run({"resume", "1", "--db", "other.db", "--progress", "none", "--base-url", session.url + "/"});
  INFO(told.err);
  CHECK(told.exit_code == 0);
  CHECK(static_cast<int>(server.requests()) == before + 2);
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
