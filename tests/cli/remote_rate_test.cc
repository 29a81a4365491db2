// Remote runs of thousands of requests: how fast, and that none is lost.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "net/fault_server.h"
#include "store/sqlite_internal.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// Question n is answered with n.
void write_task(const fs::path& folder, int questions) {
  std::ofstream cases(folder / "cases.jsonl");
  for (int i = 0; i < questions; ++i)
    cases << fmt::format("{{\"id\": \"s{0}\", \"q\": \"<{0}>\", \"a\": \"{0}\"}}\n", i);
  std::ofstream(folder / "count.json") << R"({"micius_task": 1, "name": "count", "version": 1,
             "dataset": {"loader": "jsonl", "path": "cases.jsonl", "id": "id", "input": "q", "targets": "a"},
             "prompt": {"user": "{{input}}"}, "generate": {"max_tokens": 8},
             "scorer": {"name": "exact"}, "metrics": ["acc"]})";
}

std::string question_in(const std::string& body) {
  const std::size_t begin = body.find('<') + 1;
  return body.substr(begin, body.find('>', begin) - begin);
}

std::string chat(const std::string& text) {
  return R"({"model":"tiny","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":")" +
         text + R"("}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})";
}

Outcome run(const fs::path& folder, const std::vector<std::string>& arguments,
            const std::vector<std::string>& before = {}) {
  std::vector<std::string> environment = {"no_proxy=127.0.0.1", "MICIUS_DB=micius.db"};
  environment.insert(environment.end(), before.begin(), before.end());
  return run_micius(folder, environment, arguments);
}

Json report_of(const fs::path& folder) {
  return parse_json(run(folder, {"report", "latest", "--format", "json"}).out, "report").at("reports").at(0);
}

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// An answer as events, with their end or without it.
std::string events(const std::string& text, const std::vector<std::string>& last) {
  std::string all =
      R"(data: {"model":"tiny","choices":[{"index":0,"delta":{"content":")" + text + R"("}}]})" + "\n\n";
  for (const std::string& event : last) all += "data: " + event + "\n\n";
  return all;
}

void stream(Exchange& exchange, const std::string& text, const std::vector<std::string>& last) {
  exchange.answer(200, {"Content-Type: text/event-stream"}, events(text, last));
}

// Three requests in ten, in as many ways as there are numbers here. Good answers are whole or streamed.
void answer_or_fail(Exchange& exchange, const std::string& text) {
  switch (exchange.request.number % 40) {
    case 1:
      return exchange.answer(500, {}, "<html>no</html>");
    case 4:
      return exchange.reset();
    case 7:
      return exchange.answer(502, {"Content-Type: text/html"}, "<html>bad gateway</html>");
    case 10:  // a body that ends before its length
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\"");
      return exchange.close();
    case 13:
      return exchange.answer(200, {"Content-Type: text/html"}, "<html>sign in</html>");
    case 16:
      return exchange.answer(200, {}, chat(text).substr(0, 60));
    case 19:
      return exchange.answer(200, {}, R"({"choices":[{"finish_reason":7,"message":{"content":{"a":1}}}]})");
    case 22:
      return exchange.answer(200, {}, "\xff\xfe\xc3");
    case 25:
      return stream(exchange, text, {"[DONE]"});
    case 28:
      return stream(exchange, text,
                    {R"({"error":{"message":"overloaded","type":"server_error"}})", "[DONE]"});
    case 31:
      exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 5000\r\n\r\n" +
                    events(text, {}));
      return exchange.pause(60'000);
    case 34:  // stalled before the first byte
      return exchange.pause(60'000);
    default:
      if (exchange.request.number % 2 == 0) return exchange.answer(200, {}, chat(text));
      stream(
          exchange, text,
          {R"({"model":"tiny","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})",
           R"({"model":"tiny","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}})", "[DONE]"});
  }
}

// Three requests in ten go wrong, in five ways.
bool goes_wrong(Exchange& exchange) {
  switch (exchange.request.number % 17) {
    case 1:
      exchange.answer(500, {}, "<html>no</html>");
      return true;
    case 4:
      exchange.reset();
      return true;
    case 8:
      exchange.answer(429, {"Retry-After: 0.05"}, "{}");
      return true;
    case 11:
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\"");
      exchange.close();
      return true;
    case 15:
      exchange.answer(200, {"Content-Type: text/html"}, "<html>sign in</html>");
      return true;
    default:
      return false;
  }
}

}  // namespace

TEST_CASE("2,000 requests of 200 ms, 100 at once, take four seconds", "[.speed]") {
  FaultServer server([](Exchange& exchange) {
    exchange.pause(200);
    exchange.answer(200, {}, chat(question_in(exchange.request.body)));
  });
  const TempDir folder;
  write_task(folder.path(), 2000);
  const Outcome outcome =
      run(folder.path(), {"run", "./count.json", "--model", "openai:tiny@" + server.url("/v1"),
                          "--concurrency", "100", "--progress", "none"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  const double seconds = report_of(folder.path()).at("timing").at("wall_ns").get<double>() / 1e9;
  WARN(fmt::format("{:.3f} s", seconds));
  CHECK(seconds >= 4.0);
  CHECK(seconds <= 4.2);
  CHECK(server.connections() <= 100);
}

TEST_CASE("a server without latency is asked 5,000 times a second, and every record is stored", "[.speed]") {
  constexpr int kQuestions = 20'000;
  const std::string cache = GENERATE("off", "on");
  FaultServer server(
      [](Exchange& exchange) { exchange.answer(200, {}, chat(question_in(exchange.request.body))); });
  const TempDir folder;
  write_task(folder.path(), kQuestions);
  const auto began = std::chrono::steady_clock::now();
  const Outcome outcome =
      run(folder.path(), {"run", "./count.json", "--model", "openai:tiny@" + server.url("/v1"),
                          "--concurrency", "64", "--cache", cache, "--progress", "none"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  const Json report = report_of(folder.path());
  const double seconds = report.at("timing").at("wall_ns").get<double>() / 1e9;
  WARN(fmt::format("cache {}: {:.0f} requests/s; {:.2f} s with start and report", cache, kQuestions / seconds,
                   seconds_since(began)));
  CHECK(report.at("counts").at("scored") == kQuestions);
  CHECK(report.at("metrics").at(0).at("value") == 1.0);
  CHECK(kQuestions / seconds >= 5000);
}

TEST_CASE("10,000 answers from a server that fails in twelve ways come at the rate that is allowed",
          "[.speed]") {
  constexpr int kQuestions = 10'000;
  constexpr double kRate = 300;  // requests a second
  // What is above the rate, but for a second's worth at once, is refused.
  std::mutex mutex;
  double left = kRate;
  int refused = 0;
  auto filled = std::chrono::steady_clock::now();
  const auto is_refused = [&] {
    const std::lock_guard lock(mutex);
    left = std::min(kRate,
                    left + kRate * seconds_since(std::exchange(filled, std::chrono::steady_clock::now())));
    if (left < 1) {
      ++refused;
      return true;
    }
    left -= 1;
    return false;
  };
  // As long as there are questions that were not asked yet; then only waits of those that failed are left.
  std::set<std::string> asked;
  int requests = 0, requests_of_first = 0;
  double seconds_of_first = 0;
  const auto began = std::chrono::steady_clock::now();
  FaultServer server([&](Exchange& exchange) {
    {
      const std::lock_guard lock(mutex);
      ++requests;
      if (asked.insert(question_in(exchange.request.body)).second) {
        requests_of_first = requests;
        seconds_of_first = seconds_since(began);
      }
    }
    if (is_refused()) return exchange.answer(429, {"Retry-After: 0.05"}, "{}");
    answer_or_fail(exchange, question_in(exchange.request.body));
  });
  const TempDir folder;
  write_task(folder.path(), kQuestions);
  const Outcome outcome =
      run(folder.path(), {"run", "./count.json", "--model", "openai:tiny@" + server.url("/v1"), "--rpm",
                          fmt::format("{}", kRate * 60), "--concurrency", "200", "--retries", "40",
                          "--timeout", "1", "--stream", "on", "--progress", "none"});
  const double seconds = seconds_since(began);
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  const Json report = report_of(folder.path());
  CHECK(report.at("counts").at("scored") == kQuestions);
  CHECK(report.at("metrics").at(0).at("value") == 1.0);
  // Each question has one good answer, the last, and a reason for each that was none.
  SqliteDatabase database(folder.path() / "micius.db");
  Statement rows(database,
                 "SELECT sample_id, count(*), count(code), max(CASE WHEN code IS NULL THEN attempt END), "
                 "max(attempt) FROM v_attempts GROUP BY sample_id");
  std::int64_t attempts = 0;
  int samples = 0;
  while (rows.step()) {
    ++samples;
    attempts += rows.integer(1);
    if (rows.integer(1) != rows.integer(2) + 1 || rows.integer(3) != rows.integer(4))
      FAIL_CHECK(rows.text(0) << " is not explained");
  }
  CHECK(samples == kQuestions);
  std::string codes;
  Statement kinds(database, "SELECT code, count(*) FROM v_attempts GROUP BY code ORDER BY code");
  while (kinds.step())
    codes += fmt::format(" {} {}", kinds.is_null(0) ? "good" : kinds.text(0), kinds.integer(1));
  const double share = requests_of_first / seconds_of_first / kRate;
  WARN(
      fmt::format("{} requests, {} of them refused, {} attempts: {:.1f} % of the rate for the {:.1f} s until "
                  "the last question was asked, {:.1f} s in all;{}",
                  server.requests(), refused, attempts, 100 * share, seconds_of_first, seconds, codes));
  CHECK(attempts == server.requests());  // nothing was asked that the database does not know of
  CHECK(refused == 0);
  CHECK(share >= 0.95);
  CHECK(share <= 1.03);  // what may come at once is a second's
}

TEST_CASE(
    "three of ten requests fail and the program is killed: no answer is lost, doubled or asked for again",
    "[.slow]") {
  constexpr int kQuestions = 10'000;
  std::atomic<bool> is_first = true;
  std::atomic<int> answered = 0;
  std::mutex mutex;
  std::set<std::string> asked_again;
  FaultServer server([&](Exchange& exchange) {
    const std::string question = question_in(exchange.request.body);
    if (is_first && answered >= kQuestions / 2) exchange.pause(60'000);  // until the program is gone
    if (!is_first) {
      const std::lock_guard lock(mutex);
      asked_again.insert("s" + question);
    }
    if (goes_wrong(exchange)) return;
    ++answered;
    exchange.answer(200, {}, chat(question));
  });
  const TempDir folder;
  write_task(folder.path(), kQuestions);
  const Outcome killed = run(folder.path(),
                             {"run", "./count.json", "--model", "openai:tiny@" + server.url("/v1"),
                              "--concurrency", "100", "--retries", "40", "--progress", "none"},
                             {"timeout", "-s", "KILL", "20"});
  CHECK(killed.exit_code == 137);
  std::set<std::string> stored;
  const Outcome records = run(folder.path(), {"show", "latest", "--samples", "--format", "jsonl"});
  for (const std::string_view line : split(strip(records.out), '\n'))
    CHECK(stored.insert(parse_json(line, "record").at("sample_id").get<std::string>()).second);
  CHECK(stored.size() > 1000);
  CHECK(stored.size() <= kQuestions / 2 + 100);
  is_first = false;
  const Outcome resumed =
      run(folder.path(), {"resume", "--concurrency", "100", "--retries", "40", "--progress", "none"});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  for (const std::string& id : stored) {
    if (asked_again.count(id) != 0) FAIL_CHECK(id << " was asked again");
  }
  CHECK(asked_again.size() == kQuestions - stored.size());
  const Json report = report_of(folder.path());
  CHECK(report.at("counts").at("scored") == kQuestions);
  CHECK(report.at("counts").at("failed") == 0);
  CHECK(report.at("metrics").at(0).at("value") == 1.0);
}

}  // namespace micius
