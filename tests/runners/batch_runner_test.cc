#include "runners/batch_runner.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runners/api_purse.h"
#include "runners/api_trial.h"
#include "runners/batch_mock.h"
#include "runners/batch_question.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;

// A ledger that outlives its runners, as a database does, and serves the threads of several.
class MemoryLedger final : public BatchLedger {
 public:
  std::vector<SentBatch> sent() const override {
    const std::lock_guard lock(mutex_);
    check();
    std::vector<SentBatch> open;
    for (const SentBatch& batch : batches)
      if (!batch.questions.empty()) open.push_back(batch);
    return open;
  }
  std::int64_t add(const std::string& token, const std::vector<std::string>& questions) override {
    const std::lock_guard lock(mutex_);
    check();
    SentBatch batch;
    batch.ref = static_cast<std::int64_t>(batches.size() + 1);
    batch.token = token;
    batch.sent_at = format_utc(kClock.utc());
    batch.requests = questions.size();
    batch.questions = questions;
    batches.push_back(batch);
    return batch.ref;
  }
  void name(std::int64_t ref, const std::string& batch_id) override {
    const std::lock_guard lock(mutex_);
    check();
    at(ref).batch_id = batch_id;
  }
  void forget(std::int64_t ref, const std::vector<std::string>& questions) override {
    const std::lock_guard lock(mutex_);
    check();
    ++forgotten;
    for (const std::string& question : questions) std::erase(at(ref).questions, question);
  }
  SentBatch& at(std::int64_t ref) { return batches.at(static_cast<std::size_t>(ref - 1)); }

  std::vector<SentBatch> batches;
  std::size_t forgotten = 0;                        // how often
  mutable std::atomic<int> good_calls = 1'000'000;  // then another process locks it

 private:
  void check() const {
    if (good_calls-- <= 0) fail(ErrorCode::kIo, "run.db: database is locked");
  }

  mutable std::mutex mutex_;
};

const std::vector<ApiKind> kKinds = {ApiKind::kOpenAi, ApiKind::kAnthropic};

Prices half_price(const BatchMock& mock) {
  const TempDir folder;
  const auto file = folder.path() / "prices.json";
  std::ofstream out(file);
  out << R"({"micius_prices": 1, "prices": [)";
  for (const char* provider : {"openai", "anthropic"}) {
    out << R"({"provider": ")" << provider << R"(", "url": ")" << mock.root()
        << R"(", "model": "tiny", "from": "2024-01-01", "input": "1.00", "output": "2.00", "batch_factor": "0.5"})"
        << (std::string(provider) == "openai" ? "," : "]}");
  }
  out.close();
  return Prices::read(file);
}

// One process at a run.
struct BatchTrial {
  BatchTrial(const BatchMock& mock, BatchLedger& ledger, ApiKind kind, ApiSettings settings = {}) {
    settings.openai = {mock.url(), kKey};
    settings.anthropic = {mock.root(), kKey};
    settings.azure = {mock.root(), kKey};
    settings.first_wait = milliseconds(1);
    settings.batching = ApiBatching::kOn;
    settings.batch_quiet = milliseconds(20);
    runner = make_batch_runner(kind, "tiny", settings, kClock, &log, ledger);
  }
  void submit(std::size_t first, std::size_t count) {
    std::vector<Request> requests;
    for (std::size_t i = first; i < first + count; ++i) requests.push_back(question(i));
    runner->submit(std::move(requests), sink);
  }
  std::map<std::uint64_t, Completion> ask(std::size_t count, std::size_t first = 0) {
    submit(first, count);
    runner->drain();
    return by_id();
  }
  std::map<std::uint64_t, Completion> by_id() const {
    std::map<std::uint64_t, Completion> all;
    for (const Completion& completion : sink.completions)
      all.emplace(static_cast<std::uint64_t>(completion.id), completion);
    CHECK(all.size() == sink.completions.size());
    return all;
  }

  ListLog log;
  CollectingSink sink;
  std::unique_ptr<Runner> runner;
};

MockOutcome echo(const std::string& text, int) { return {.text = "to " + text}; }

bool each_once(const BatchMock& mock) {
  const auto asked = mock.asked();
  return std::all_of(asked.begin(), asked.end(), [](const auto& one) { return one.second == 1; });
}

std::ptrdiff_t looks_at_first(const BatchMock& mock) {
  const std::vector<SeenRequest> seen = mock.seen();
  return std::count_if(seen.begin(), seen.end(),
                       [](const SeenRequest& request) { return request.path.ends_with("/batch_1"); });
}

}  // namespace

TEST_CASE("questions that come together are one batch, whose answers come in any order") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    mock.set_looks(2);
    MemoryLedger ledger;
    BatchTrial trial(mock, ledger, kind);
    const auto all = trial.ask(50);
    REQUIRE(all.size() == 50);
    for (const auto& [id, completion] : all) {
      CHECK_FALSE(completion.failure);
      CHECK(completion.text == "to Question " + std::to_string(id));
      CHECK(completion.prompt_tokens == 11);
      CHECK(completion.completion_tokens == 2);
      REQUIRE(completion.attempts.size() == 1);
      CHECK(completion.attempts[0].status == 200);
      CHECK(completion.attempts[0].code.empty());
      CHECK_FALSE(completion.attempts[0].request_id.empty());
    }
    CHECK(mock.batches() == 1);
    CHECK(each_once(mock));
    REQUIRE(ledger.batches.size() == 1);
    CHECK(ledger.batches[0].batch_id == "batch_1");
    REQUIRE(trial.log.lines.size() == 1);
    CHECK_THAT(trial.log.lines[0], Contains("batch_1") && Contains("micius resume"));
  }
}

TEST_CASE("a later process fetches what an earlier one sent, and asks nothing twice") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    mock.set_looks(1'000'000);
    MemoryLedger ledger;
    {
      BatchTrial first(mock, ledger, kind);
      first.submit(0, 20);
      while (mock.batches() == 0) std::this_thread::sleep_for(milliseconds(2));
      std::this_thread::sleep_for(milliseconds(20));
      first.runner->cancel();
      first.runner->drain();
      for (const auto& [id, completion] : first.by_id()) {
        REQUIRE(completion.failure);
        CHECK(completion.failure->code == "cancelled");
        CHECK_FALSE(completion.failure->stops_run);
      }
    }
    mock.set_looks(0);
    BatchTrial second(mock, ledger, kind);
    for (const auto& [id, completion] : second.ask(25)) CHECK_FALSE(completion.failure);
    CHECK(each_once(mock));
    CHECK(mock.asked().size() == 25);
    // The answers were fetched but not kept: they are fetched again.
    BatchTrial third(mock, ledger, kind);
    for (const auto& [id, completion] : third.ask(25)) CHECK_FALSE(completion.failure);
    CHECK(each_once(mock));
  }
}

TEST_CASE("a later process that learns of the questions one after another asks nothing twice") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    mock.set_looks(1'000'000);
    MemoryLedger ledger;
    {
      BatchTrial first(mock, ledger, kind);
      first.submit(0, 4);
      while (looks_at_first(mock) == 0) std::this_thread::sleep_for(milliseconds(2));
      first.runner->cancel();
      first.runner->drain();
    }
    BatchTrial second(mock, ledger, kind);
    second.submit(0, 2);
    const auto wait_for_looks = [&](std::ptrdiff_t more) {
      const auto enough = looks_at_first(mock) + more;
      while (looks_at_first(mock) < enough) std::this_thread::sleep_for(milliseconds(2));
    };
    wait_for_looks(1);
    second.submit(2, 2);  // as the next turns of a conversation
    wait_for_looks(2);    // 0.2 s and more: they were not sent by then
    mock.set_looks(0);
    const auto all = second.ask(1, 4);
    REQUIRE(all.size() == 5);
    for (const auto& [id, completion] : all) {
      CHECK(completion.text == "to Question " + std::to_string(id));
      CHECK(completion.attempts.size() == 1);
    }
    CHECK(each_once(mock));
  }
}

TEST_CASE("a ledger that fails stops the run, and a later process goes on with it") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    MemoryLedger ledger;
    const auto check_stopped = [](const std::map<std::uint64_t, Completion>& all) {
      CHECK(all.size() == 3);
      for (const auto& [id, completion] : all) {
        REQUIRE(completion.failure);
        CHECK(completion.failure->code == "store");
        CHECK(completion.failure->stops_run);
        CHECK_THAT(completion.failure->message, Contains("database is locked") && Contains("micius resume"));
      }
    };
    {
      ledger.good_calls = 0;
      BatchTrial trial(mock, ledger, kind);
      check_stopped(trial.ask(3));
      CHECK(mock.batches() == 0);
      trial.ask(1, 3);  // what comes later ends as well
    }
    {
      ledger.good_calls = 2;  // it is sent, and its id is not kept
      BatchTrial trial(mock, ledger, kind);
      check_stopped(trial.ask(3));
    }
    ledger.good_calls = 1'000'000;
    BatchTrial later(mock, ledger, kind);
    for (const auto& [id, completion] : later.ask(3)) CHECK_FALSE(completion.failure);
    CHECK(mock.batches() == 1);
    CHECK(each_once(mock));
  }
}

TEST_CASE("a batch that was made without its id being heard is found again, at once or by a later process") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    mock.add_foreign(7);  // as many questions, and not ours
    mock.lose_next_answer();
    MemoryLedger ledger;
    {
      BatchTrial trial(mock, ledger, kind);
      for (const auto& [id, completion] : trial.ask(7))
        CHECK(completion.text == "to Question " + std::to_string(id));
    }
    CHECK(mock.batches() == 2);
    CHECK(each_once(mock));
    ledger.at(1).batch_id.reset();  // killed before it was kept
    BatchTrial later(mock, ledger, kind);
    for (const auto& [id, completion] : later.ask(7)) CHECK_FALSE(completion.failure);
    CHECK(each_once(mock));
  }
}

TEST_CASE("a batch whose making was answered in words nobody understands is found again") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    mock.garble_next_answer();
    MemoryLedger ledger;
    BatchTrial trial(mock, ledger, kind);
    for (const auto& [id, completion] : trial.ask(3))
      CHECK(completion.text == "to Question " + std::to_string(id));
    CHECK(mock.batches() == 1);
    CHECK(each_once(mock));
  }
}

TEST_CASE("a batch is not taken for one that was never made where the list of batches cannot be read") {
  const std::vector<std::pair<int, std::string>> lists = {
      {404, "{}"},
      {200, "{}"},
      {200, R"({"data": {}})"},
      {200, "<html>One moment, please</html>"},
      {200, R"({"data": [{"name": "no id"}], "has_more": false})"},
      {200, R"({"data": [{"id": "theirs"}], "has_more": true})"},
  };
  for (const ApiKind kind : kKinds) {
    for (const auto& [status, body] : lists) {
      INFO(status << " " << body);
      BatchMock mock(echo);
      mock.lose_next_answer();
      mock.set_list(status, body);
      MemoryLedger ledger;
      for (int process = 0; process < 2; ++process) {  // the one that sends it, and one that takes it up
        BatchTrial trial(mock, ledger, kind);
        const Failure failure = trial.ask(3).at(0).failure.value();
        CHECK(failure.code == "batch");
        CHECK(failure.stops_run);
        CHECK_THAT(failure.message, Contains("list of batches") && Contains("micius resume"));
        CHECK(ledger.sent().size() == 1);
      }
      mock.set_list(200, "");
      BatchTrial later(mock, ledger, kind);
      for (const auto& [id, completion] : later.ask(3)) CHECK_FALSE(completion.failure);
      CHECK(mock.batches() == 1);
      CHECK(each_once(mock));
    }
  }
}

TEST_CASE("a batch that was never made is made") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    MemoryLedger ledger;
    const Request asked = question(0);
    {
      BatchTrial trial(mock, ledger, kind);
      trial.ask(1);
    }
    SentBatch& batch = ledger.batches.at(0);
    batch.batch_id.reset();
    batch.token = "never-made";
    mock.forget_all();
    BatchTrial later(mock, ledger, kind);
    CHECK(later.ask(1).at(0).text == "to Question 0");
    CHECK(mock.batches() == 2);
  }
}

TEST_CASE("what expired, failed for a passing reason or is missing is asked again, what is wrong is not") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock([](const std::string& text, int times) -> MockOutcome {
      if (text == "Question 1" && times == 1) return {.kind = MockOutcome::Kind::kExpired};
      if (text == "Question 2" && times <= 2)
        return {MockOutcome::Kind::kError, "busy", 529, "overloaded_error"};
      if (text == "Question 3" && times == 1) return {.kind = MockOutcome::Kind::kMissing};
      if (text == "Question 4")
        return {MockOutcome::Kind::kError, "no such thing", 400, "invalid_request_error"};
      if (text == "Question 5")
        return {MockOutcome::Kind::kError, "prompt is too long: 9 tokens > 8 maximum", 400,
                "invalid_request_error"};
      return echo(text, times);
    });
    MemoryLedger ledger;
    BatchTrial trial(mock, ledger, kind);
    const auto all = trial.ask(8);
    REQUIRE(all.size() == 8);
    for (const std::uint64_t id : {0, 1, 2, 3, 6, 7}) {
      INFO(id);
      CHECK(all.at(id).text == "to Question " + std::to_string(id));
    }
    REQUIRE(all.at(4).failure);
    CHECK(all.at(4).failure->code == "request");
    CHECK_THAT(all.at(4).failure->message, Contains("no such thing"));
    CHECK_FALSE(all.at(5).failure);
    CHECK(all.at(5).text.empty());
    CHECK(all.at(5).attempts.back().code == "context_exceeded");
    REQUIRE(all.at(2).attempts.size() == 3);
    CHECK(all.at(2).attempts[0].code == "server");
    CHECK(all.at(1).attempts.at(0).code == "expired");
    const auto asked = mock.asked();
    CHECK(asked.at("Question 0") == 1);
    CHECK(asked.at("Question 1") == 2);
    CHECK(asked.at("Question 2") == 3);
    CHECK(asked.at("Question 3") == 2);
    CHECK(asked.at("Question 4") == 1);
    // A failed sample that a later process asks again is asked again.
    BatchTrial later(mock, ledger, kind);
    later.ask(1, 4);
    CHECK(mock.asked().at("Question 4") == 2);
  }
}

TEST_CASE("what a batch has no answer to is forgotten once for all of it") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock([](const std::string& text, int times) -> MockOutcome {
      if (times == 1) return {.kind = MockOutcome::Kind::kExpired};
      return echo(text, times);
    });
    MemoryLedger ledger;
    BatchTrial trial(mock, ledger, kind);
    for (const auto& [id, completion] : trial.ask(30)) CHECK_FALSE(completion.failure);
    CHECK(mock.batches() == 2);
    CHECK(ledger.forgotten == 1);
    REQUIRE(ledger.batches.size() == 2);
    CHECK(ledger.batches[0].questions.empty());
    CHECK(ledger.batches[1].questions.size() == 30);
  }
}

TEST_CASE("a batch that somebody cancelled stops the run, with what it had, and resume sends the rest") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock([](const std::string& text, int times) -> MockOutcome {
      if (text == "Question 1" && times == 1) return {.kind = MockOutcome::Kind::kCancelled};
      return echo(text, times);
    });
    if (kind == ApiKind::kOpenAi) mock.set_status("cancelled");
    MemoryLedger ledger;
    BatchTrial trial(mock, ledger, kind);
    const auto all = trial.ask(3);
    CHECK(all.at(0).text == "to Question 0");
    CHECK(all.at(2).text == "to Question 2");
    REQUIRE(all.at(1).failure);
    CHECK(all.at(1).failure->code == "batch");
    CHECK(all.at(1).failure->stops_run);
    CHECK_THAT(all.at(1).failure->message, Contains("batch_1") && Contains("cancelled"));
    mock.set_status("completed");
    BatchTrial later(mock, ledger, kind);
    CHECK(later.ask(1, 1).at(1).text == "to Question 1");
  }
}

TEST_CASE("a batch that the provider refuses stops the run with its words") {
  BatchMock mock(echo);
  mock.set_status("failed");
  MemoryLedger ledger;
  BatchTrial trial(mock, ledger, ApiKind::kOpenAi);
  const Failure failure = trial.ask(2).at(0).failure.value();
  CHECK(failure.code == "batch");
  CHECK(failure.stops_run);
  CHECK_THAT(failure.message, Contains("Enqueued token limit"));
  CHECK(ledger.sent().empty());
}

TEST_CASE("a batch that the provider has forgotten is sent anew") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    MemoryLedger ledger;
    {
      BatchTrial trial(mock, ledger, kind);
      trial.ask(3);
    }
    mock.forget_all();
    BatchTrial later(mock, ledger, kind);
    for (const auto& [id, completion] : later.ask(3)) CHECK_FALSE(completion.failure);
    CHECK(mock.batches() == 2);
  }
}

TEST_CASE("batches cost half, and a budget lets go what fits into it") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    MemoryLedger ledger;
    ApiSettings settings;
    settings.prices = half_price(mock);
    settings.day = "2026-01-01";
    // At half the price, in microdollars: what a question may come to is `most`, with 16 tokens written; it
    // does come to 7.5.
    const double most = static_cast<double>(most_tokens(10, 1)) * 0.5 + 16;
    settings.budget_usd = (most + 16) * 1e-6;
    BatchTrial trial(mock, ledger, kind, settings);
    const Json price = trial.runner->info().environment.at("price");
    CHECK(price.at("input") == 500'000);
    CHECK(price.at("output") == 1'000'000);
    const auto all = trial.ask(6);
    std::size_t answered = 0;
    for (const auto& [id, completion] : all) {
      answered += completion.failure ? 0 : 1;
      if (completion.failure) CHECK(completion.failure->code == "budget");
    }
    // One, one more, one more; then there is less left than the next may come to.
    CHECK(answered == 3);
    CHECK(mock.asked().size() == answered);
  }
}

TEST_CASE("a budget counts what an earlier process sent and is under way") {
  for (const ApiKind kind : kKinds) {
    BatchMock mock(echo);
    mock.set_looks(1'000'000);
    MemoryLedger ledger;
    ApiSettings settings;
    settings.prices = half_price(mock);
    settings.day = "2026-01-01";
    {
      BatchTrial first(mock, ledger, kind, settings);
      first.submit(0, 2);
      while (looks_at_first(mock) == 0) std::this_thread::sleep_for(milliseconds(2));
      first.runner->cancel();
      first.runner->drain();
    }
    const double most = static_cast<double>(most_tokens(10, 1)) * 0.5 + 16;
    settings.budget_usd = 1.5 * most * 1e-6;
    BatchTrial second(mock, ledger, kind, settings);
    const auto enough = looks_at_first(mock) + 2;
    second.submit(0, 4);
    while (looks_at_first(mock) < enough) std::this_thread::sleep_for(milliseconds(2));
    CHECK(mock.batches() == 1);  // the two at their most are more than the budget
    mock.set_looks(0);
    second.runner->drain();
    for (const auto& [id, completion] : second.by_id()) CHECK_FALSE(completion.failure);
    CHECK(each_once(mock));
  }
}

TEST_CASE("a wrong key stops the run before anything is asked") {
  for (const ApiKind kind : kKinds) {
    FaultServer server([](Exchange& exchange) { exchange.answer(401, {}, "{\"error\": \"" + kKey + "\"}"); });
    MemoryLedger ledger;
    ApiSettings settings = one_lane();
    settings.openai = {server.url("/v1"), kKey};
    settings.anthropic = {server.url(""), kKey};
    settings.batch_quiet = milliseconds(1);
    settings.batching = ApiBatching::kOn;
    const auto runner = make_batch_runner(kind, "tiny", settings, kClock, nullptr, ledger);
    CollectingSink sink;
    runner->submit({question(0), question(1)}, sink);
    runner->drain();
    REQUIRE(sink.completions.size() == 2);
    for (const Completion& completion : sink.completions) {
      CHECK(completion.failure.value().code == "auth");
      CHECK(completion.failure->stops_run);
      CHECK_THAT(completion.failure->message, !Contains("planted"));
    }
    CHECK(ledger.sent().empty());
  }
}

TEST_CASE("Azure's batches go to /openai/v1 alone") {
  BatchMock mock(echo);
  MemoryLedger ledger;
  ApiSettings settings;
  settings.api_version = "2024-10-21";
  CHECK_THROWS_WITH(BatchTrial(mock, ledger, ApiKind::kAzure, settings), Contains("--api-version"));
}

TEST_CASE("a question's name fits into a batch, and is no other's") {
  Request request = question(0);
  request.prompt.sample_id = std::string(300, '/') + "\u00e9";
  const std::string name = question_name(request, {{"a", 1}});
  CHECK(name.size() <= 55);
  CHECK(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);
  CHECK(question_name(request, {{"a", 1}}) == name);
  CHECK(question_name(request, {{"a", 2}}) != name);
  Request other = request;
  other.repeat = 1;
  CHECK(question_name(other, {{"a", 1}}) != name);
  other = request;
  other.turn = 1;
  CHECK(question_name(other, {{"a", 1}}) != name);
  other = request;
  other.prompt.sample_id += "x";
  CHECK(question_name(other, {{"a", 1}}) != name);
}

}  // namespace micius
