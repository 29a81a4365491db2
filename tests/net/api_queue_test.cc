#include "net/api_queue.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "net/fault_server.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

ApiQueueOptions quick_options(std::size_t lanes = 8) {
  return {.governor = {.concurrency = lanes, .first_concurrency = lanes},
          .retries = 3,
          .first_wait = milliseconds(1),
          .grace = milliseconds(1000)};
}

// Asks for a path. The status says the verdict: 200 done, 429 busy, 418 again, 400 fail, 401 stop, else
// retry.
struct Question {
  std::string path;
  ApiEnd end;
  int ends = 0;
};

class PathCall final : public ApiCall {
 public:
  PathCall(std::string url, Question& question, double tokens = 1)
      : url_(std::move(url)), question_(question), tokens_(tokens) {}
  HttpRequest request() override {
    // A busy machine may be silent for a while, too.
    const milliseconds idle(url_.ends_with("/silent") ? 300 : 10'000);
    return {.url = url_, .limits = {.idle = idle, .body_bytes = 10'000}};
  }
  double tokens() const override { return tokens_; }
  ApiVerdict judge(const ApiAnswer& answer) override {
    const std::string code = std::to_string(answer.head.status);
    switch (answer.head.status) {
      case 200:
        return {};
      case 429:
        return {ApiNext::kRetry, code, "busy", true, retry_after(answer.head, {})};
      case 418:
        return {ApiNext::kAgain, code, "changed"};
      case 400:
        return {ApiNext::kFail, code, "wrong"};
      case 401:
        return {ApiNext::kStop, code, "no key"};
      default:
        return {ApiNext::kRetry, code, "broken", false, retry_after(answer.head, {})};
    }
  }
  void ended(const ApiEnd& end) override {
    question_.end = end;
    ++question_.ends;
  }

 private:
  std::string url_;
  Question& question_;
  double tokens_;
};

// Asks all at once; ends them all.
std::vector<Question> ask_all(const FaultServer& server, const std::vector<std::string>& paths,
                              const ApiQueueOptions& options = quick_options()) {
  std::vector<Question> questions(paths.size());
  HttpClient client({});
  ApiQueue queue(client, server.url(""), options);
  std::vector<std::unique_ptr<ApiCall>> calls;
  for (std::size_t i = 0; i < paths.size(); ++i)
    calls.push_back(std::make_unique<PathCall>(server.url(paths[i]), questions[i]));
  queue.add(std::move(calls));
  queue.drain();
  for (const Question& question : questions) CHECK(question.ends == 1);
  return questions;
}

}  // namespace

TEST_CASE("trouble is tried again until the attempts are used up") {
  std::atomic<int> seen = 0;
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.path == "/always") return exchange.answer(500, {}, "");
    if (++seen <= 3) return exchange.answer(502, {}, "<html>");
    exchange.answer(200, {}, "");
  });
  const auto questions = ask_all(server, {"/flaky"});
  CHECK(questions[0].end.next == ApiNext::kDone);
  CHECK(questions[0].end.attempts == 4);
  const auto always = ask_all(server, {"/always"});
  CHECK(always[0].end.next == ApiNext::kFail);
  CHECK(always[0].end.code == "500");
  CHECK(always[0].end.attempts == 4);
  CHECK(server.requests() == 8);
}

TEST_CASE("connections that break in any way are tried again, bodies without an end are not") {
  FaultServer server([](Exchange& exchange) {
    const std::string& path = exchange.request.path;
    if (path == "/endless") {
      exchange.head(200, {});
      while (exchange.send(std::string(4096, 'x'))) continue;
      return exchange.close();
    }
    if (path == "/reset") return exchange.reset();
    if (path == "/silent") {
      exchange.pause(600);
      return exchange.close();
    }
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
    exchange.close();
  });
  ApiQueueOptions options = quick_options();
  options.retries = 1;
  const auto questions = ask_all(server, {"/reset", "/silent", "/cut", "/endless"}, options);
  CHECK(questions[0].end.code == "connection");
  CHECK(questions[1].end.code == "timeout");
  CHECK(questions[2].end.code == "connection");
  CHECK(questions[3].end.code == "bad_response");
  CHECK(questions[0].end.attempts == 2);
  CHECK(questions[3].end.attempts == 1);
}

TEST_CASE("a busy server is asked more slowly, and not before it says") {
  std::atomic<int> seen = 0;
  FaultServer server([&](Exchange& exchange) {
    if (++seen == 1) return exchange.answer(429, {"Retry-After: 0.3"}, "");
    exchange.answer(200, {}, "");
  });
  const auto began = std::chrono::steady_clock::now();
  const auto questions = ask_all(server, std::vector<std::string>(20, "/"), quick_options(1));
  CHECK(std::chrono::steady_clock::now() - began > milliseconds(300));
  for (const Question& question : questions) CHECK(question.end.next == ApiNext::kDone);
  CHECK(server.requests() == 21);
}

TEST_CASE("a wait longer than anybody waits fails the call") {
  FaultServer server([](Exchange& exchange) { exchange.answer(429, {"Retry-After: 86400"}, ""); });
  const auto questions = ask_all(server, {"/"});
  CHECK(questions[0].end.next == ApiNext::kFail);
  CHECK(questions[0].end.message == "busy; the server asks to wait 86400 s");
  CHECK(server.requests() == 1);
}

TEST_CASE("what stops one call stops all that wait, and all that come later") {
  FaultServer server(
      [](Exchange& exchange) { exchange.answer(exchange.request.number == 3 ? 401 : 200, {}, ""); });
  std::vector<Question> questions(50);
  Question later;
  HttpClient client({});
  ApiQueue queue(client, server.url(""), quick_options(1));
  std::vector<std::unique_ptr<ApiCall>> calls;
  for (Question& question : questions) calls.push_back(std::make_unique<PathCall>(server.url("/"), question));
  queue.add(std::move(calls));
  queue.drain();
  std::vector<std::unique_ptr<ApiCall>> more;
  more.push_back(std::make_unique<PathCall>(server.url("/"), later));
  queue.add(std::move(more));
  queue.drain();
  CHECK(server.requests() == 3);
  CHECK(questions[1].end.next == ApiNext::kDone);
  for (const int i : {2, 3, 49}) {
    CHECK(questions[static_cast<std::size_t>(i)].end.next == ApiNext::kStop);
    CHECK(questions[static_cast<std::size_t>(i)].end.message == "no key");
  }
  CHECK(later.end.next == ApiNext::kStop);
}

TEST_CASE("a call that changes its request forever ends") {
  FaultServer server([](Exchange& exchange) { exchange.answer(418, {}, ""); });
  const auto questions = ask_all(server, {"/"});
  CHECK(questions[0].end.next == ApiNext::kFail);
  CHECK(server.requests() == 9);
}

TEST_CASE("a cancelled queue lets what is under way finish, for a while") {
  FaultServer server([](Exchange& exchange) {
    exchange.pause(exchange.request.path == "/soon" ? 50 : 5000);
    exchange.answer(200, {}, "");
  });
  std::vector<Question> questions(10);
  HttpClient client({});
  ApiQueue queue(client, server.url(""), quick_options(2));
  std::vector<std::unique_ptr<ApiCall>> calls;
  for (std::size_t i = 0; i < questions.size(); ++i)
    calls.push_back(std::make_unique<PathCall>(server.url(i == 0 ? "/soon" : "/late"), questions[i]));
  queue.add(std::move(calls));
  while (server.requests() < 2) std::this_thread::sleep_for(milliseconds(1));
  const auto began = std::chrono::steady_clock::now();
  queue.cancel();
  queue.drain();
  CHECK(std::chrono::steady_clock::now() - began < milliseconds(4000));
  CHECK(questions[0].end.next == ApiNext::kDone);
  for (std::size_t i = 1; i < questions.size(); ++i) CHECK(questions[i].end.code == "cancelled");
  CHECK(server.requests() == 2);
}

TEST_CASE("what is added after a cancelled queue has drained is not cut") {
  FaultServer server([](Exchange& exchange) {
    exchange.pause(exchange.request.path == "/first" ? 20 : 1200);
    exchange.answer(200, {}, "");
  });
  std::vector<Question> questions(2);
  HttpClient client({});
  ApiQueue queue(client, server.url(""), quick_options(2));
  const auto ask = [&](const char* path, Question& question) {
    std::vector<std::unique_ptr<ApiCall>> calls;
    calls.push_back(std::make_unique<PathCall>(server.url(path), question));
    queue.add(std::move(calls));
  };
  ask("/first", questions[0]);
  while (server.requests() < 1) std::this_thread::sleep_for(milliseconds(1));
  queue.cancel();
  queue.drain();
  ask("/second", questions[1]);  // under way when the grace of the first ends
  queue.drain();
  CHECK(questions[1].end.next == ApiNext::kDone);
  CHECK(questions[1].end.attempts == 1);
}

TEST_CASE("a server that fails every third time loses and doubles nothing") {
  std::atomic<int> good = 0;
  FaultServer server([&](Exchange& exchange) {
    switch (exchange.request.number % 10) {
      case 0:
        return exchange.reset();
      case 3:
        return exchange.answer(500, {}, "");
      case 6:
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{");
        return exchange.close();
      default:
        ++good;
        exchange.answer(200, {}, "");
    }
  });
  ApiQueueOptions options = quick_options(50);
  options.retries = 30;
  const auto questions = ask_all(server, std::vector<std::string>(2000, "/"), options);
  for (const Question& question : questions) CHECK(question.end.next == ApiNext::kDone);
  CHECK(good == 2000);
}

}  // namespace micius
