#include "pipeline/invariance.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "memory_store.h"
#include "pipeline/evaluate.h"
#include "pipeline/two_turn_quiz.h"

namespace micius {
namespace {

const SystemClock kClock;

struct QuizRun {
  MemoryStore store;
  RunId run{};
};

// 600 samples of two turns: more than are held at once. "q5" fails.
QuizRun quiz_run(const Task& task, std::size_t samples, const CrowdRunner::Answer& answer) {
  QuizRun result;
  const MemoryDataset dataset = quiz_dataset(samples);
  CrowdRunner crowd(answer);
  const Plan plan = make_plan({task, dataset, crowd.info(), {}, task.name, ""}, {});
  result.run = result.store.begin(plan.spec, 1);
  evaluate({task, plan, crowd, QuizScorer(), result.store, kClock, nullptr, {}}, result.run);
  return result;
}

// Says what the request's stream is named: the same as in the run, or the answers differ.
Completion named(const Request& request) {
  Completion c;
  c.text = request.options.stream + ", at most " + std::to_string(request.options.max_tokens);
  return c;
}

std::vector<std::string> streams_of(const std::vector<Request>& requests) {
  std::vector<std::string> streams;
  for (const Request& request : requests) streams.push_back(named(request).text);
  return streams;
}

Completion weighed(const Request& request) {
  Completion c;
  for (int i = 0; i < 3; ++i) c.likelihoods.push_back({-1.0 / (i + 3), 1, false});
  c.id = request.id;
  return c;
}

}  // namespace

TEST_CASE("answers that are the same in every order are all equal") {
  const QuizRun quiz = quiz_run(two_turn_quiz(), 600, [](const Request& request) {
    return request.prompt.sample_id == "q5" ? failing("timeout") : named(request);
  });
  std::vector<std::string> stored;
  quiz.store.for_each(quiz.run, [&](const Record& record) {
    for (const Turn& turn : record.turns)
      if (!turn.completion.failure) stored.push_back(turn.completion.text);
  });
  for (const AskOrder order : {AskOrder::kAsStored, AskOrder::kBackwards, AskOrder::kShuffled}) {
    CrowdRunner again(named);
    const AskedAgain asked = ask_again(quiz.store, quiz.run, again, order, {});
    CHECK(asked.answers == 2 * 599);
    CHECK(asked.equal == asked.answers);
    CHECK(asked.failed == 1);
    CHECK(asked.differences.empty());
    CHECK_FALSE(asked.interrupted);
    const std::vector<std::string> streams = streams_of(again.requests());
    CHECK((streams == stored) == (order == AskOrder::kAsStored));
    CHECK(std::set(streams.begin(), streams.end()) == std::set(stored.begin(), stored.end()));
  }
}

TEST_CASE("each answer that differs is counted and the first ones named") {
  const QuizRun quiz = quiz_run(two_turn_quiz(), 20, named);
  CrowdRunner again([](const Request& request) {
    Completion c = named(request);
    if (request.turn == 1) c.text += "!";
    return c;
  });
  const AskedAgain asked = ask_again(quiz.store, quiz.run, again, AskOrder::kBackwards, {});
  CHECK(asked.answers == 40);
  CHECK(asked.equal == 20);
  REQUIRE(asked.differences.size() == 5);
  std::string first;
  quiz.store.for_each(quiz.run, [&](const Record& record) {
    if (first.empty()) first = record.sample.id;
  });
  CHECK(asked.differences[0].sample_id == first);
  CHECK(asked.differences[0].turn == 1);
  CHECK(asked.differences[0].what.starts_with("another text from byte "));
}

TEST_CASE("one bit of a log-likelihood is a difference") {
  const QuizRun quiz = quiz_run(choice_quiz(), 9, weighed);
  CrowdRunner again([](const Request& request) {
    Completion c = weighed(request);
    if (request.prompt.sample_id == "q4") c.likelihoods[2].logprob = std::nextafter(-0.2, 0);
    return c;
  });
  const AskedAgain asked = ask_again(quiz.store, quiz.run, again, AskOrder::kShuffled, {});
  CHECK(asked.equal == 8);
  REQUIRE(asked.differences.size() == 1);
  CHECK(asked.differences[0].what == "choice 2: -0.2 before, -0.19999999999999998 now");
}

TEST_CASE("a runner that fails now is a difference, an interruption is none") {
  const QuizRun quiz = quiz_run(choice_quiz(), 3, weighed);
  CrowdRunner broken([](const Request&) { return failing("engine"); });
  const AskedAgain asked = ask_again(quiz.store, quiz.run, broken, AskOrder::kAsStored, {});
  CHECK(asked.equal == 0);
  CHECK(asked.differences.at(0).what.starts_with("failed: engine: "));
  std::stop_source stop;
  stop.request_stop();
  CHECK(ask_again(quiz.store, quiz.run, broken, AskOrder::kAsStored, stop.get_token()).interrupted);
}

}  // namespace micius
