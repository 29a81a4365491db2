#include "runners/pseudo_runner.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runners/collecting_sink.h"
#include "runners/registry.h"

namespace micius {
namespace {

const SystemClock kClock;

Request request(std::uint64_t id, Prompt prompt) {
  Request made;
  made.id = RequestId{id};
  made.prompt = std::move(prompt);
  return made;
}

Completion answer_of(const std::string& model, const Prompt& prompt, const std::string& reference,
                     const std::string& other) {
  Request asked = request(7, prompt);
  asked.reference = reference;
  asked.other_reference = other;
  CollectingSink sink;
  const auto runner = make_runner(model, {kClock});
  runner->submit({asked}, sink);
  runner->drain();
  REQUIRE(sink.completions.size() == 1);
  CHECK(sink.completions[0].id == RequestId{7});
  CHECK_FALSE(sink.completions[0].failure);
  return sink.completions[0];
}

}  // namespace

TEST_CASE("pseudo-models answer a question with the reference, nothing, another's reference") {
  const Prompt prompt{"1", GenerateInput{{{Role::kUser, "2 + 2?"}}}};
  CHECK(answer_of("reference", prompt, "4", "5").text == "4");
  CHECK(answer_of("empty", prompt, "4", "5").text.empty());
  CHECK(answer_of("random", prompt, "4", "5").text == "5");
}

TEST_CASE("pseudo-models weigh the choice they are for") {
  const Prompt prompt{"1", LikelihoodInput{{}, {{"Q", " a"}, {"Q", " b"}, {"Q", " c"}}}};
  const std::vector<Likelihood> second = {{-1000, 1, false}, {0, 1, true}, {-1000, 1, false}};
  CHECK(answer_of("reference", prompt, "1", "2").likelihoods == second);
  CHECK(answer_of("random", prompt, "2", "1").likelihoods == second);
  CHECK(answer_of("empty", prompt, "1", "2").likelihoods.empty());
}

TEST_CASE("a runner is named by its kind") {
  CHECK(make_runner("random", {kClock})->info().kind == "random");
  CHECK_THROWS_WITH(make_runner("refrence", {kClock}), Catch::Contains("did you mean 'reference'?"));
  CHECK_THROWS_WITH(make_runner("empty:3", {kClock}), Catch::Contains("unexpected ':3'"));
  CHECK_THROWS_WITH(make_runner("replay:x", {kClock}), Catch::Contains("'replay:x': not a run"));
}

}  // namespace micius
