// A server that bills what it likes, as far as it was allowed to, and a task to ask it.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "base/json.h"
#include "base/rng.h"
#include "net/fault_server.h"

namespace micius {

// A dollar a million tokens of the prompt, two of the answer: in micro-dollars.
inline constexpr std::int64_t kPrompt = 1, kWritten = 2;
inline constexpr int kMaxTokens = 400;

inline void write_counting_task(const std::filesystem::path& folder, int questions) {
  std::ofstream cases(folder / "cases.jsonl");
  for (int i = 0; i < questions; ++i)
    cases << fmt::format("{{\"id\": \"s{0}\", \"q\": \"{0} {1}\", \"a\": \"{0}\"}}\n", i,
                         std::string(static_cast<std::size_t>(i % 90), '7'));
  std::ofstream(folder / "count.json") << fmt::format(
      R"({{"micius_task": 1, "name": "count", "version": 1,
         "dataset": {{"loader": "jsonl", "path": "cases.jsonl", "id": "id", "input": "q", "targets": "a"}},
         "prompt": {{"user": "{{{{input}}}}"}}, "generate": {{"max_tokens": {}}},
         "scorer": {{"name": "exact"}}, "metrics": ["acc"]}})",
      kMaxTokens);
}

// A token a byte, a template around it, and an answer of any length up to its limit, billed however it ends.
class Biller {
 public:
  explicit Biller(bool spoils) : spoils_(spoils) {}

  void operator()(Exchange& exchange) {
    if (exchange.request.method == "GET") return exchange.answer(404, {}, "{}");
    Rng rng(fmt::format("request {}", exchange.request.number));
    const auto fate = spoils_ ? rng.below(20) : 19;
    if (fate < 2) return exchange.answer(503, {}, "{}");
    const Json body = parse_json(exchange.request.body, "body");
    const auto prompt =
        static_cast<std::int64_t>(body.at("messages").at(0).at("content").get<std::string>().size()) + 40;
    // Most are short; some go to the limit.
    const auto most = body.at("max_tokens").get<std::uint64_t>();
    const auto written = static_cast<std::int64_t>(rng.below(8) == 0 ? most : 1 + rng.below(60));
    billed += prompt * kPrompt + written * kWritten;
    exchange.pause(static_cast<int>(rng.below(8)));
    if (fate < 4) return exchange.reset();
    if (fate < 5) return exchange.answer(200, {}, R"({"choices": [{"message": {"content": "cut"}}]})");
    if (fate < 6) return exchange.answer(200, {}, "<html>no</html>");
    exchange.answer(200, {},
                    fmt::format(R"({{"model": "tiny", "choices": [{{"finish_reason": "stop", "message":
                    {{"role": "assistant", "content": "x"}}}}], "usage": {{"prompt_tokens": {},
                    "completion_tokens": {}}}}})",
                                prompt, written));
  }

  std::atomic<std::int64_t> billed = 0;  // micro-dollars

 private:
  const bool spoils_;
};

}  // namespace micius
