#include "runners/batch_runner.h"

#include <map>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "runners/api_purse.h"
#include "runners/batch_question.h"
#include "runners/batch_trial.h"

namespace micius {
namespace {

using Catch::Contains;
using std::chrono::milliseconds;

}  // namespace

TEST_CASE("questions that come together are one batch, whose answers come in any order") {
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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

TEST_CASE("batches cost half, and a budget lets go what fits into it") {
  for (const ApiKind kind : kBatchKinds) {
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
  for (const ApiKind kind : kBatchKinds) {
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
