// Batches that fail, are lost, refused or forgotten.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runners/batch_trial.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;

}  // namespace

TEST_CASE("a batch that was made without its id being heard is found again, at once or by a later process") {
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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

TEST_CASE("a wrong key stops the run before anything is asked") {
  for (const ApiKind kind : kBatchKinds) {
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

}  // namespace micius
