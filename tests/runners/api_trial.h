// A runner of an API against a server of the test's own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "net/fault_server.h"
#include "runners/api_runner.h"
#include "runners/collecting_sink.h"

namespace micius {

inline const SystemClock kClock;
inline const std::string kKey = "sk-planted-0123456789abcdef";

inline std::string chat(const std::string& text, const std::string& finish = "stop") {
  return Json{
      {"model", "tiny"},
      {"choices", {{{"finish_reason", finish}, {"message", {{"role", "assistant"}, {"content", text}}}}}},
      {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 2}}}}
      .dump();
}

inline std::string error(const std::string& code, const std::string& message, const std::string& param = "") {
  return Json{{"error", {{"message", message}, {"type", code}, {"param", param}, {"code", code}}}}.dump();
}

class ListLog final : public Log {
 public:
  void warning(std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

inline Request question(std::size_t number) {
  Request request;
  request.id = RequestId{number};
  request.prompt = {std::to_string(number),
                    GenerateInput{{{Role::kUser, "Question " + std::to_string(number)}}}};
  request.options.max_tokens = 16;
  return request;
}

// A runner and what it was answered.
struct Trial {
  explicit Trial(const FaultServer& server, ApiSettings settings = {}, ApiKind kind = ApiKind::kOpenAi) {
    settings.openai = {server.url("/v1"), kKey};
    settings.azure = {server.url(""), kKey};
    settings.anthropic = {server.url(""), kKey};
    settings.first_wait = std::chrono::milliseconds(1);
    runner = make_api_runner(kind, "tiny", settings, kClock, &log);
  }
  const std::vector<Completion>& ask(std::size_t count) {
    std::vector<Request> requests;
    for (std::size_t i = 0; i < count; ++i) requests.push_back(question(i));
    runner->submit(std::move(requests), sink);
    runner->drain();
    return sink.completions;
  }

  ListLog log;
  CollectingSink sink;
  std::unique_ptr<Runner> runner;
};

inline ApiSettings one_lane(int retries = 7) {
  ApiSettings settings;
  settings.concurrency = 1;
  settings.retries = retries;
  return settings;
}

}  // namespace micius
