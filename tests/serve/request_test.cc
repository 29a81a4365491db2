#include "serve/request.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "serve/fields.h"
#include "source_tree.h"

namespace micius {
namespace {

void read(const std::string& endpoint, const std::string& body) {
  if (endpoint == "chat") read_chat_completion(body);
  if (endpoint == "text") read_text_completion(body);
  if (endpoint == "embeddings") read_embeddings(body);
}

}  // namespace

TEST_CASE("Requests are read, and wrong ones name the field", "[request]") {
  const std::string rows = read_file(source_tree() / "tests/serve/requests.jsonl");
  for_each_line(rows, [&](std::string_view line, std::size_t number) {
    if (line.empty()) return;
    const Json row = parse_json(line, "requests.jsonl");
    INFO("requests.jsonl:" << number);
    try {
      read(row.at("endpoint"), row.at("body").dump());
      CHECK_FALSE(row.contains("status"));
    } catch (const Refusal& refusal) {
      INFO(refusal.what());
      REQUIRE(row.contains("status"));
      CHECK(row.at("status") == refusal.status());
      const Json error = refusal.body().at("error");
      CHECK(error.at("param") == row.at("param"));
      CHECK(error.at("type") == "invalid_request_error");
      if (row.contains("message")) CHECK(error.at("message") == row.at("message"));
    }
  });
}

TEST_CASE("What a chat request asks for arrives", "[request]") {
  const ChatCompletionRequest request = read_chat_completion(
      R"({"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
          {"role": "user", "content": "c"}], "max_tokens": 3, "max_completion_tokens": 5, "temperature": 0.25,
          "top_p": 0.5, "stop": "x", "seed": -7, "n": 2, "logprobs": true, "top_logprobs": 4, "stream": true,
          "stream_options": {"include_usage": true}})");
  REQUIRE(request.messages.size() == 2);
  CHECK(request.messages[0].role == "system");
  CHECK(request.messages[0].content == "ab");
  const GenerateParams& params = request.params;
  CHECK(params.max_tokens == 5);
  CHECK(params.sampling.temperature == 0.25);
  CHECK(params.sampling.top_p == 0.5);
  CHECK(params.stop == std::vector<std::string>{"x"});
  CHECK(params.seed == -7);
  CHECK(params.n == 2);
  CHECK(params.best == 4U);
  CHECK(params.stream);
  CHECK(params.include_usage);
  const ChatCompletionRequest plain =
      read_chat_completion(R"({"messages": [{"role": "user", "content": ""}]})");
  CHECK(plain.params.sampling.temperature == 1);  // OpenAI's
  CHECK_FALSE(plain.params.best);
  CHECK_FALSE(plain.params.seed);
  CHECK_FALSE(plain.params.max_tokens);
}

TEST_CASE("A body that is no JSON is refused, however deep or broken", "[request]") {
  const std::string deep(100'000, '[');
  for (const std::string& body :
       {std::string(), std::string("{"), deep, std::string("\xff\xfe"),
        std::string(R"({"prompt": "\ud800"})"), std::string(R"({"prompt": 1e999})"),
        std::string("{\"prompt\": \"\xc3\x28\"}"), std::string("NaN"), std::string("{\"a\"\0: 1}", 9)}) {
    try {
      read_text_completion(body);
      FAIL("it was read");
    } catch (const Refusal& refusal) {
      CHECK(refusal.status() == 400);
    }
  }
}

}  // namespace micius
