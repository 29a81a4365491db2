#include "runners/cached_runner.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "runners/api_trial.h"

namespace micius {
namespace {

class MemoryCache final : public AnswerCache {
 public:
  std::optional<std::string> find(const std::string& key) override {
    const auto it = answers.find(key);
    return it == answers.end() ? std::nullopt : std::optional(it->second);
  }
  void keep(const std::string& key, const std::string& model, const std::string& answer) override {
    answers[key] = answer;
    models.push_back(model);
  }
  std::map<std::string, std::string> answers;
  std::vector<std::string> models;
};

// Gives numbered answers, or log-likelihoods by the number.
class CountingRunner final : public Runner {
 public:
  explicit CountingRunner(std::string url) {
    info_.name = "openai:tiny";
    info_.kind = "openai";
    info_.url = std::move(url);
  }
  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override {
    for (const Request& request : requests) {
      Completion c;
      c.id = request.id;
      c.stop_reason = stop_reason;
      c.prompt_tokens = 10;
      c.cached_tokens = 4;
      c.completion_tokens = 2;
      const Clock::time_point now = kClock.now();
      c.timing = {now, after_ns(now, 1), after_ns(now, 3), after_ns(now, 9)};
      c.attempts.resize(2);
      c.attempts[0].code = "rate_limit";
      ++asked;
      if (const auto* weigh = std::get_if<LikelihoodInput>(&request.prompt.input)) {
        for (std::size_t i = 0; i < weigh->pairs.size(); ++i)
          c.likelihoods.push_back({-0.1 * asked - static_cast<double>(i), 3, i == 0});
      } else {
        c.text = "answer " + std::to_string(asked);
      }
      if (stop_reason == StopReason::kFailed) c.failure = Failure{"timeout", "late"};
      sink.on_first_token(c.id, *c.timing.first_token);
      sink.on_done(std::move(c));
    }
  }
  void drain() override {}
  void cancel() override {}

  int asked = 0;
  StopReason stop_reason = StopReason::kStop;
  RunnerInfo info_;
};

struct Cached {
  explicit Cached(CacheUse use = CacheUse::kGreedy, const std::string& url = "https://models.example/v1") {
    auto made = std::make_unique<CountingRunner>(url);
    counting = made.get();
    runner = with_cache(std::move(made), cache, use, kClock);
  }
  Completion ask(const Request& request) {
    CollectingSink sink;
    runner->submit({request}, sink);
    runner->drain();
    REQUIRE(sink.completions.size() == 1);
    return sink.completions.front();
  }
  // Is the second question answered with the answer to the first?
  bool shares(const Request& first, const Request& second) {
    const std::string text = ask(first).text;
    return ask(second).text == text;
  }

  MemoryCache cache;
  CountingRunner* counting = nullptr;
  std::unique_ptr<Runner> runner;
};

Request sampled() {
  Request request = question(1);
  request.options.temperature = 0.7;
  request.options.stream = "1/0/0";
  return request;
}

}  // namespace

TEST_CASE("the same question is asked once, and the second answer says that it is from the cache") {
  Cached cached;
  const Completion first = cached.ask(question(1));
  Request again = question(1);
  again.id = RequestId{7};
  again.prompt.sample_id = "another";
  const Completion second = cached.ask(again);
  CHECK(cached.counting->asked == 1);
  CHECK_FALSE(first.from_cache);
  CHECK(first.timing.first_token);
  CHECK(second.from_cache);
  CHECK(second.id == RequestId{7});
  CHECK(second.text == "answer 1");
  CHECK(second.stop_reason == StopReason::kStop);
  CHECK(second.prompt_tokens == 10);
  CHECK(second.cached_tokens == 4);
  CHECK(second.completion_tokens == 2);
  CHECK_FALSE(second.timing.first_token);
  CHECK(cached.cache.models == std::vector<std::string>{"openai:tiny"});
}

TEST_CASE("an answer that was asked for the same record comes back as it was, any other's from the cache") {
  Cached cached;
  Request request = question(1);
  request.asked_for = "7/2026-01-02T03:04:05Z/1/0/0";
  const Completion first = cached.ask(request);
  const Completion again = cached.ask(request);
  CHECK(cached.counting->asked == 1);
  CHECK_FALSE(again.from_cache);
  CHECK(again.text == first.text);
  CHECK(ns_between(again.timing.planned, again.timing.sent) == 1);
  CHECK(ns_between(again.timing.planned, again.timing.first_token.value()) == 3);
  CHECK(ns_between(again.timing.planned, again.timing.done) == 9);
  CHECK(again.attempts == first.attempts);
  for (const char* other : {"7/2026-01-02T03:04:05Z/2/0/0", "8/2026-01-02T03:04:05Z/1/0/0", ""}) {
    INFO(other);
    request.asked_for = other;
    const Completion cheap = cached.ask(request);
    CHECK(cheap.from_cache);
    CHECK(cheap.text == first.text);
    CHECK(cheap.timing.done == cheap.timing.planned);
    CHECK(cheap.attempts.empty());
  }
  CHECK(cached.cache.answers.begin()->second.find("2026-01-02") == std::string::npos);
}

TEST_CASE("an answer that nobody's record was asked for is anybody's from the cache") {
  Cached cached;
  cached.ask(question(1));
  Request request = question(1);
  request.asked_for = "7/2026-01-02T03:04:05Z/1/0/0";
  CHECK(cached.ask(request).from_cache);
}

TEST_CASE("all that may change an answer makes it another question") {
  const std::vector<std::pair<const char*, std::function<void(Request&)>>> changes = {
      {"prompt", [](Request& r) { std::get<GenerateInput>(r.prompt.input).messages[0].content += " "; }},
      {"role", [](Request& r) { std::get<GenerateInput>(r.prompt.input).messages[0].role = Role::kSystem; }},
      {"style", [](Request& r) { r.style = PromptStyle::kText; }},
      {"repeat", [](Request& r) { r.repeat = 1; }},
      {"max_tokens", [](Request& r) { r.options.max_tokens = 17; }},
      {"stop", [](Request& r) { r.options.stop = {"\n"}; }},
      {"temperature", [](Request& r) { r.options.temperature = 0.5; }}};
  for (const auto& [what, change] : changes) {
    INFO(what);
    Cached cached(CacheUse::kAll);
    Request other = question(1);
    change(other);
    CHECK_FALSE(cached.shares(question(1), other));
    CHECK(cached.shares(other, other));
  }
  const std::vector<std::pair<const char*, std::function<void(RunnerInfo&)>>> models = {
      {"url", [](RunnerInfo& i) { i.url = "https://other.example/v1"; }},
      {"name", [](RunnerInfo& i) { i.name = "openai:small"; }},
      {"kind", [](RunnerInfo& i) { i.kind = "azure"; }},
      {"options", [](RunnerInfo& i) { i.options["api_version"] = "2024-10-21"; }}};
  for (const auto& [what, change] : models) {
    INFO(what);
    Cached cached;
    CHECK(cached.ask(question(1)).text == "answer 1");
    change(cached.counting->info_);
    CHECK(cached.ask(question(1)).text == "answer 2");
  }
}

TEST_CASE("sampled answers are cached where that was asked for, each draw by itself") {
  Cached plain;
  CHECK_FALSE(plain.shares(sampled(), sampled()));
  CHECK(plain.cache.answers.empty());
  Cached all(CacheUse::kAll);
  CHECK(all.shares(sampled(), sampled()));
  for (const char* stream : {"1/1/0", "2/0/0"}) {
    Request other = sampled();
    other.options.stream = stream;
    CHECK_FALSE(all.shares(sampled(), other));
  }
  Request other_seed = sampled();
  other_seed.options.seed = 7;
  CHECK_FALSE(all.shares(sampled(), other_seed));

  Cached reasoning;
  reasoning.counting->info_.options["sampling"] = "the provider's";
  CHECK_FALSE(reasoning.shares(question(1), question(1)));
}

TEST_CASE("a server on this machine is cached only where that was asked for") {
  for (const char* url : {"http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:80/v1"}) {
    INFO(url);
    CHECK_FALSE(Cached(CacheUse::kGreedy, url).shares(question(1), question(1)));
    CHECK(Cached(CacheUse::kAll, url).shares(question(1), question(1)));
  }
  CHECK(Cached(CacheUse::kGreedy, "http://localhost.example/v1").shares(question(1), question(1)));
}

TEST_CASE("log-likelihoods are cached for all pairs of a question together") {
  Cached cached;
  Request request = question(1);
  request.prompt.input = LikelihoodInput{{}, {{"The sky is", " blue"}, {"The sky is", " green"}}};
  const Completion first = cached.ask(request), second = cached.ask(request);
  CHECK(second.from_cache);
  CHECK(second.likelihoods == first.likelihoods);
  REQUIRE(second.likelihoods.size() == 2);
  std::get<LikelihoodInput>(request.prompt.input).pairs.pop_back();
  CHECK_FALSE(cached.ask(request).from_cache);
}

TEST_CASE("refusals, unfinished answers and failures are asked again") {
  for (const StopReason reason : {StopReason::kContentFilter, StopReason::kUnfinished, StopReason::kFailed}) {
    Cached cached;
    cached.counting->stop_reason = reason;
    cached.ask(question(1));
    cached.counting->stop_reason = StopReason::kLength;
    CHECK_FALSE(cached.ask(question(1)).from_cache);
    const Completion last = cached.ask(question(1));
    CHECK(last.from_cache);
    CHECK(last.stop_reason == StopReason::kLength);
  }
}

TEST_CASE("an answer that cannot be read is asked for again") {
  for (const char* damaged : {"", "{", "[]", R"({"text": 7})"}) {
    INFO(damaged);
    Cached cached;
    cached.ask(question(1));
    cached.cache.answers.begin()->second = damaged;
    CHECK_FALSE(cached.ask(question(1)).from_cache);
    CHECK(cached.ask(question(1)).from_cache);
  }
}

TEST_CASE("a server is asked nothing twice, and its key is not kept") {
  FaultServer server([](Exchange& exchange) { exchange.answer(200, {}, chat("yes")); });
  MemoryCache cache;
  ApiSettings settings;
  settings.openai = {server.url("/v1"), kKey};
  for (int i = 0; i < 2; ++i) {
    CollectingSink sink;
    const auto runner = with_cache(make_api_runner(ApiKind::kOpenAi, "tiny", settings, kClock, nullptr),
                                   cache, CacheUse::kAll, kClock);
    std::vector<Request> requests = {question(1), question(2), question(3)};
    runner->submit(std::move(requests), sink);
    runner->drain();
    REQUIRE(sink.completions.size() == 3);
    for (const Completion& completion : sink.completions) {
      CHECK(completion.text == "yes");
      CHECK(completion.from_cache == (i == 1));
    }
  }
  CHECK(server.requests() == 3);
  for (const auto& [key, answer] : cache.answers) CHECK(answer.find("planted") == std::string::npos);
}

}  // namespace micius
