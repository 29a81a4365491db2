#include "runners/engine_runner.h"

#include <map>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "engine/tiny_model.h"

namespace micius {
namespace {

// Counts what arrives, also first tokens.
class CountingSink final : public CompletionSink {
 public:
  void on_first_token(RequestId id, Clock::time_point) override {
    CHECK(done.count(id) == 0);
    ++first_tokens[id];
  }
  void on_done(Completion completion) override {
    const RequestId id = completion.id;
    CHECK(done.emplace(id, std::move(completion)).second);
  }
  std::map<RequestId, int> first_tokens;  // written by the runner's thread, read after drain()
  std::map<RequestId, Completion> done;
};

Request generate(std::uint64_t id, std::vector<Message> messages, int max_tokens = 6) {
  Request request;
  request.id = RequestId{id};
  request.prompt.input = GenerateInput{std::move(messages)};
  request.options.max_tokens = max_tokens;
  request.options.temperature = 0.9;
  request.options.stream = std::to_string(id) + "/0/0";
  return request;
}

Request weigh(std::uint64_t id, std::vector<Pair> pairs, std::vector<Message> messages = {}) {
  Request request;
  request.id = RequestId{id};
  request.prompt.input = LikelihoodInput{std::move(messages), std::move(pairs)};
  return request;
}

std::unique_ptr<Runner> tiny_runner(const TinyModel& model, const Clock& clock,
                                    std::size_t batch_tokens = 64) {
  EngineOptions options;
  options.threads = 1;
  options.batch_tokens = batch_tokens;
  return make_engine_runner(model.path(), "tiny", options, clock);
}

TEST_CASE("The engine runner says what it is", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto runner = tiny_runner(model, clock);
  const RunnerInfo& info = runner->info();
  CHECK(info.name == "tiny");
  CHECK(info.kind == "engine");
  CHECK(info.sha256 == sha256_file(model.path()));
  CHECK(info.chat_template);
  CHECK(info.options["numerics"] == "precise");
  CHECK(info.environment["threads"] == 1);
  CHECK_THROWS_AS(make_engine_runner("no/such.gguf", "x", {}, clock), Error);
}

TEST_CASE("In text style a model reads no chat template", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto runner = tiny_runner(model, clock);
  CountingSink sink;
  Request request = generate(0, {{Role::kSystem, "s"}, {Role::kUser, "q"}});
  request.style = PromptStyle::kText;
  runner->submit({request}, sink);
  runner->drain();
  CHECK(sink.done.at(RequestId{0}).prompt_text == "s\n\nq");
}

TEST_CASE("Every request ends once, answers do not depend on the batch", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto requests = [] {
    std::vector<Request> all;
    for (std::uint64_t i = 0; i < 12; ++i) {
      all.push_back(generate(2 * i, {{Role::kUser, "node " + std::to_string(i)}}));
      all.push_back(weigh(2 * i + 1, {{"GPU " + std::to_string(i) + " is", " hot"}, {"GPU is ", "cold"}}));
    }
    return all;
  };
  CountingSink together, alone;
  const auto runner = tiny_runner(model, clock);
  runner->submit(requests(), together);
  runner->drain();
  const auto other = tiny_runner(model, clock, 512);
  for (Request& request : requests()) {
    std::vector<Request> one;
    one.push_back(std::move(request));
    other->submit(std::move(one), alone);
    other->drain();
  }
  REQUIRE(together.done.size() == 24);
  for (const auto& [id, completion] : together.done) {
    CHECK_FALSE(completion.failure);
    CHECK(completion.text == alone.done.at(id).text);
    CHECK(completion.likelihoods == alone.done.at(id).likelihoods);
    CHECK(completion.completion_tokens == alone.done.at(id).completion_tokens);
    CHECK(completion.timing.done >= completion.timing.sent);
    CHECK(together.first_tokens[id] == (completion.likelihoods.empty() ? 1 : 0));
  }
  CHECK(together.done.at(RequestId{0}).prompt_text == "[user]node 0\n[assistant]");
}

TEST_CASE("Conversations go through the template before a pair's context", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto runner = tiny_runner(model, clock);
  CountingSink sink;
  std::vector<Request> requests;
  requests.push_back(weigh(1, {{"", "A"}, {"x", "B"}}, {{Role::kUser, "q"}}));
  requests.push_back(weigh(2, {{"[user]q\n[assistant]", "A"}, {"[user]q\n[assistant]x", "B"}}));
  requests.push_back(generate(3, {{Role::kUser, "q"}, {Role::kAssistant, "half an"}}));
  runner->submit(std::move(requests), sink);
  runner->drain();
  CHECK(sink.done.at(RequestId{1}).likelihoods == sink.done.at(RequestId{2}).likelihoods);
  CHECK(sink.done.at(RequestId{1}).prompt_text == "[user]q\n[assistant]");
  CHECK(sink.done.at(RequestId{3}).prompt_text == "[user]q\n[assistant]half an");
}

TEST_CASE("What the context has no room for is cut on the left and counted", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto runner = tiny_runner(model, clock);
  CountingSink sink;
  const std::string question(300, 'q');  // a token a character; the template adds 6 and 12
  std::vector<Request> requests;
  requests.push_back(generate(1, {{Role::kUser, question}}));
  requests.push_back(generate(2, {{Role::kUser, "q"}}));
  requests.push_back(weigh(3, {{"a", "b"}, {question, "xyz"}}));
  runner->submit(std::move(requests), sink);
  runner->drain();
  const Completion& cut = sink.done.at(RequestId{1});
  CHECK(cut.cut_tokens == 6 + 300 + 12 - static_cast<int>(kTinyContext - 6));
  CHECK(cut.prompt_text == question.substr(0, kTinyContext - 6 - 12) + "\n[assistant]");
  CHECK(cut.prompt_tokens == static_cast<int>(kTinyContext - 6));
  CHECK(sink.done.at(RequestId{2}).cut_tokens == 0);
  CHECK(sink.done.at(RequestId{3}).cut_tokens == 300 + 3 - static_cast<int>(kTinyContext + 1));
}

TEST_CASE("A request that cannot be done ends with a failure", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto runner = tiny_runner(model, clock);
  CountingSink sink;
  std::vector<Request> requests;
  requests.push_back(weigh(1, {{"a", ""}}));
  requests.push_back(weigh(2, {{" \n", "b"}}));
  requests.push_back(generate(3, {{Role::kSystem, "s"}, {Role::kUser, "q"}}));
  requests.push_back(generate(4, {{Role::kUser, "q"}}, static_cast<int>(kTinyContext)));
  runner->submit(std::move(requests), sink);
  runner->drain();
  const std::vector<std::string> codes = {"empty_continuation", "empty_context", "chat_template",
                                          "context_too_long"};
  for (std::uint64_t id = 1; id <= codes.size(); ++id) {
    const Completion& completion = sink.done.at(RequestId{id});
    REQUIRE(completion.failure);
    CHECK(completion.failure->code == codes[id - 1]);
    CHECK(completion.stop_reason == StopReason::kFailed);
  }
}

TEST_CASE("Cancelled requests end at once", "[engine_runner]") {
  const TinyModel model;
  const SystemClock clock;
  const auto runner = tiny_runner(model, clock);
  CountingSink sink;
  std::vector<Request> requests;
  for (std::uint64_t i = 0; i < 40; ++i) requests.push_back(generate(i, {{Role::kUser, "q"}}, 200));
  runner->submit(std::move(requests), sink);
  runner->cancel();
  runner->drain();
  CHECK(sink.done.size() == 40);
  std::size_t cancelled = 0;
  for (const auto& [id, completion] : sink.done) {
    cancelled += completion.failure && completion.failure->code == "cancelled";
  }
  CHECK(cancelled > 0);
}

}  // namespace
}  // namespace micius
