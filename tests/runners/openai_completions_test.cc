#include "runners/openai_completions.h"

#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/text.h"
#include "shared_files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

struct Token {
  std::string text;
  Json logprob;  // null for the first
  std::size_t offset;
  double best = -10;  // of another token
};

std::string answer(const std::vector<Token>& tokens, int prompt_tokens, int written = 1) {
  Json lists = {{"tokens", Json::array()},
                {"token_logprobs", Json::array()},
                {"top_logprobs", Json::array()},
                {"text_offset", Json::array()}};
  for (const Token& token : tokens) {
    lists["tokens"].push_back(token.text);
    lists["token_logprobs"].push_back(token.logprob);
    lists["text_offset"].push_back(token.offset);
    Json best;
    if (!token.logprob.is_null()) best = {{token.text, token.logprob}, {token.text + "'", token.best}};
    lists["top_logprobs"].push_back(best);
  }
  return Json{{"choices", {{{"index", 0}, {"finish_reason", "length"}, {"logprobs", lists}}}},
              {"usage", {{"prompt_tokens", prompt_tokens}, {"completion_tokens", written}}}}
      .dump();
}

std::variant<EchoReply, ApiError> read(const std::string& body, const EchoPrompt& prompt) {
  return read_echo({200, {}, ""}, body, prompt, {});
}

EchoReply echo_in(const std::string& body, const EchoPrompt& prompt) {
  const auto reading = read(body, prompt);
  if (const auto* error = std::get_if<ApiError>(&reading)) FAIL(error->message);
  return std::get<EchoReply>(reading);
}

std::string error_name(const std::string& body, const EchoPrompt& prompt) {
  const auto reading = read(body, prompt);
  REQUIRE(std::holds_alternative<ApiError>(reading));
  CHECK(std::get<ApiError>(reading).kind == ApiErrorKind::kBadResponse);
  return std::get<ApiError>(reading).message;
}

Likelihood weighed(const EchoReply& echo, std::size_t characters) {
  return std::get<Likelihood>(weigh_from(echo, seam_at(echo, characters).token));
}

const std::vector<Token> kSky = {
    {"The", nullptr, 0}, {" sky", -5.5, 3}, {" is", -0.75, 7}, {" blue", -1.25, 10, -1.0}, {".", -0.5, 15}};

Json row_named(const char* file_name, std::string_view name) {
  const fs::path file = vector_folder() / "api" / file_name;
  Json found;
  if (!fs::exists(file)) return found;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    Json row = parse_json(line, file.string() + ":" + std::to_string(number));
    if (row.at("name") == name) found = std::move(row);
  });
  return found;
}

}  // namespace

TEST_CASE("a continuation weighs what its tokens do, and what was written is left out") {
  const EchoReply echo = echo_in(answer(kSky, 4), std::string("The sky is blue"));
  CHECK(echo.tokens.size() == 4);
  CHECK(weighed(echo, 10) == Likelihood{-1.25, 1, false});
  CHECK(weighed(echo, 7) == Likelihood{-2.0, 2, false});
  CHECK(weighed(echo_in(answer(kSky, 4), std::string("The sky is blue")), 3).tokens == 3);
  std::vector<Token> greedy = kSky;
  greedy[3].best = -1.25;
  CHECK(weighed(echo_in(answer(greedy, 4), std::string("The sky is blue")), 10).greedy);
}

TEST_CASE("a token on the border is the context's, and is told") {
  const EchoReply echo = echo_in(answer(kSky, 4), std::string("The sky is blue"));
  const Seam seam = seam_at(echo, 8);
  CHECK(seam.token == 3);
  CHECK(seam.straddles);
  CHECK_FALSE(seam_at(echo, 7).straddles);
  CHECK(std::get<Failure>(weigh_from(echo, seam_at(echo, 12).token)).code == "empty_continuation");
  CHECK(std::get<Failure>(weigh_from(echo, seam_at(echo, 0).token)).code == "empty_context");
}

TEST_CASE("offsets count characters, and not those of a token that the server put before the prompt") {
  const std::string prompt = "Zo\u00eb is";
  const std::vector<Token> counted = {
      {"<s>", nullptr, 0}, {"Zo\u00eb", -2.0, 3}, {" is", -1.0, 6}, {"!", -1.0, 9}};
  const std::vector<Token> not_counted = {
      {"<s>", nullptr, 0}, {"Zo\u00eb", -2.0, 0}, {" is", -1.0, 3}, {"!", -1.0, 6}};
  for (const auto& tokens : {counted, not_counted}) {
    const EchoReply echo = echo_in(answer(tokens, 3), prompt);
    CHECK(weighed(echo, 3) == Likelihood{-1.0, 1, true});
    CHECK(weighed(echo, 0) == Likelihood{-3.0, 2, true});
  }
}

TEST_CASE("an answer that is no echo is known as such") {
  const std::string prompt = "The sky is blue";
  CHECK_THAT(error_name(answer(kSky, 3), prompt), Contains("5 tokens"));
  CHECK_THAT(error_name(answer({kSky[4]}, 4), prompt), Contains("1 tokens"));
  CHECK_THAT(error_name(answer({}, 0, 0), prompt), Contains("0 tokens"));
  std::vector<Token> odd = kSky;
  odd[0].logprob = -1.0;
  CHECK_THAT(error_name(answer(odd, 4), prompt), Contains("first token"));
  for (const Json& wrong : {Json(nullptr), Json(0.5), Json("x")}) {
    odd = kSky;
    odd[2].logprob = wrong;
    CHECK_THAT(error_name(answer(odd, 4), prompt), Contains("token 2"));
  }
  odd = kSky;
  odd[2].offset = 2;  // before the one before
  CHECK_THAT(error_name(answer(odd, 4), prompt), Contains("text_offset"));
  odd = kSky;
  odd[4].offset = 17;  // of a longer text
  CHECK_THAT(error_name(answer(odd, 4), prompt), Contains("text_offset"));
  CHECK_THAT(error_name(R"({"choices": [{"logprobs": null}]})", prompt), Contains("no logprobs"));
  CHECK_THAT(error_name(R"({"choices": [{"logprobs": {"content": []}}]})", prompt),
             Contains("token_logprobs"));
  CHECK_THAT(error_name("<html>", prompt), Contains("no JSON"));
  CHECK_THAT(error_name(R"({"choices": []})", prompt), Contains("no choices"));
}

TEST_CASE("ids are weighed by id where the server can") {
  const std::string by_id =
      R"({"choices": [{"prompt_logprobs": [null, {"11": {"logprob": -5.5, "rank": 9}, "7": {"logprob": -2.0, "rank": 1}},)"
      R"( {"12": {"logprob": -0.75, "rank": 1}}]}]})";
  const EchoReply echo = echo_in(by_id, ApiTokenIds{10, 11, 12});
  CHECK(std::get<Likelihood>(weigh_from(echo, 2)) == Likelihood{-0.75, 1, true});
  CHECK(std::get<Likelihood>(weigh_from(echo, 1)) == Likelihood{-6.25, 2, false});
  CHECK_THAT(error_name(by_id, ApiTokenIds{10, 11}), Contains("3 prompt_logprobs for 2"));
  CHECK_THAT(error_name(by_id, ApiTokenIds{10, 11, 13}), Contains("token 2"));
  CHECK(echo_in(answer(kSky, 4), ApiTokenIds{1, 2, 3, 4}).tokens.size() == 4);
  CHECK_THAT(error_name(answer(kSky, 4), ApiTokenIds{1, 2, 3}), Contains("4 tokens where 3"));
}

TEST_CASE("the recorded server that ignores echo is found out, vLLM's shapes are not") {
  for (const char* name : {"completion-echo-logprobs", "completion-echo-max0"}) {
    const Json row = row_named("llamacpp.jsonl", name);
    if (row.is_null()) {
      WARN("skipped: llamacpp.jsonl is not there");
      return;
    }
    CHECK_THAT(error_name(row.at("response").at("json").dump(),
                          row.at("request").at("body").at("prompt").get<std::string>()),
               Contains("token_logprobs"));
  }
  Json row = row_named("documented.jsonl", "vllm-echo-logprobs");
  const Json& expect = row.at("expect");
  const std::string context = expect.at("context"), continuation = expect.at("continuation");
  const EchoReply by_text = echo_in(row.at("json").dump(), context + continuation);
  const Likelihood wanted{expect.at("loglikelihood"), 1, expect.at("greedy")};
  CHECK(seam_at(by_text, code_points(context)).token == expect.at("context_tokens").get<std::size_t>());
  CHECK(weighed(by_text, code_points(context)) == wanted);
  row = row_named("documented.jsonl", "vllm-prompt-logprobs");
  const EchoReply by_ids =
      echo_in(row.at("json").dump(), row.at("expect").at("prompt_ids").get<ApiTokenIds>());
  CHECK(std::get<Likelihood>(weigh_from(by_ids, row.at("expect").at("context_tokens"))) == wanted);
}

TEST_CASE("ids of a text are read, and nothing else is taken for them") {
  const auto ids = [](const std::string& body) { return read_tokenized({200, {}, ""}, body, {}); };
  CHECK(std::get<ApiTokenIds>(ids(R"({"count": 2, "tokens": [5, 9]})")) == ApiTokenIds{5, 9});
  for (const char* wrong :
       {"{}", R"({"tokens": {}})", R"({"tokens": [1.5]})", R"({"tokens": [{"id": 1}]})", "[]"})
    CHECK(std::holds_alternative<ApiError>(ids(wrong)));
}

}  // namespace micius
