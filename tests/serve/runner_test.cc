// Our own remote runner against our own server gives what the engine gives when it is run directly.
#include <algorithm>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "runners/api_runner.h"
#include "runners/collecting_sink.h"
#include "runners/engine_runner.h"
#include "serve/server.h"
#include "serve/test_service.h"

namespace micius {
namespace {

std::vector<Request> questions() {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < 12; ++i) {
    Request request;
    request.id = RequestId{i};
    request.prompt = {std::to_string(i), GenerateInput{{{Role::kUser, fmt::format("Question {}?", i)}}}};
    request.options.max_tokens = 24;
    if (i % 3 == 0) request.options.stop = {"e", "\n"};
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<Request> choices() {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < 4; ++i) {
    LikelihoodInput input;
    for (const char* choice : {" hot", " cold", " f\xc3\xa9\x65", " \xe2\x82\xac 5"})
      input.pairs.push_back({fmt::format("GPU {} \xc3\xa9 is", i), choice});
    Request request;
    request.id = RequestId{i};
    request.prompt = {std::to_string(i), std::move(input)};
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<Completion> answers(Runner& runner, std::vector<Request> requests) {
  CollectingSink sink;
  runner.submit(std::move(requests), sink);
  runner.drain();
  std::sort(sink.completions.begin(), sink.completions.end(),
            [](const Completion& a, const Completion& b) { return a.id < b.id; });
  return sink.completions;
}

// A server over the tiny model, and the two ways to it.
class ServedTiny {
 public:
  ServedTiny() : server_(test_->service, any_port()), thread_([this] { server_.run(); }) {}
  ~ServedTiny() {
    server_.stop();
    thread_.join();
  }
  std::unique_ptr<Runner> runner(ApiLikelihoods likelihoods) const {
    ApiSettings settings;
    settings.openai.url = fmt::format("http://127.0.0.1:{}/v1", server_.port());
    settings.likelihoods = likelihoods;
    return make_api_runner(ApiKind::kOpenAi, "tiny", settings, test_->clock, nullptr);
  }
  std::unique_ptr<Runner> engine_runner() const {
    return make_engine_runner(test_->model.path(), "tiny", TestService::options(1), test_->clock);
  }

 private:
  static ServerOptions any_port() {
    ServerOptions options;
    options.port = 0;
    return options;
  }

  std::unique_ptr<TestService> test_ = std::make_unique<TestService>();
  ApiServer server_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("openai: over the server answers as the engine does", "[server]") {
  const ServedTiny served;
  const std::vector<Completion> remote = answers(*served.runner(ApiLikelihoods::kNone), questions());
  const std::vector<Completion> direct = answers(*served.engine_runner(), questions());
  REQUIRE(remote.size() == direct.size());
  for (std::size_t i = 0; i < direct.size(); ++i) {
    INFO(i);
    REQUIRE_FALSE(remote[i].failure);
    CHECK(remote[i].text == direct[i].text);
    CHECK(remote[i].stop_reason == direct[i].stop_reason);
    CHECK(remote[i].prompt_tokens == direct[i].prompt_tokens);
    CHECK(remote[i].completion_tokens == direct[i].completion_tokens);
  }
}

TEST_CASE("openai: weighs choices over the server as the engine does, bit for bit", "[server]") {
  const ServedTiny served;
  const std::vector<Completion> remote = answers(*served.runner(ApiLikelihoods::kByEcho), choices());
  const std::vector<Completion> direct = answers(*served.engine_runner(), choices());
  for (std::size_t i = 0; i < direct.size(); ++i) {
    INFO(i);
    REQUIRE_FALSE(remote[i].failure);
    REQUIRE(remote[i].likelihoods.size() == direct[i].likelihoods.size());
    for (std::size_t j = 0; j < direct[i].likelihoods.size(); ++j) {
      CHECK(remote[i].likelihoods[j].logprob == direct[i].likelihoods[j].logprob);
      CHECK(remote[i].likelihoods[j].tokens == direct[i].likelihoods[j].tokens);
      CHECK(remote[i].likelihoods[j].greedy == direct[i].likelihoods[j].greedy);
    }
  }
}

}  // namespace micius
