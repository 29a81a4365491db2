#include "runners/openai_chat.h"

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "shared_files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

GenerateOptions limited(int max_tokens, double temperature = 0, double top_p = 1) {
  GenerateOptions options;
  options.max_tokens = max_tokens;
  options.temperature = temperature;
  options.top_p = top_p;
  return options;
}

Request request_of(std::vector<Message> messages, GenerateOptions options = {},
                   PromptStyle style = PromptStyle::kTurns) {
  Request request;
  request.prompt = {"s", GenerateInput{std::move(messages)}};
  request.options = std::move(options);
  request.style = style;
  return request;
}

std::variant<ApiReply, ApiError> read(const std::string& body, int status = 200) {
  return read_chat({status, {}, ""}, body, {});
}

ApiReply answer_in(const std::string& body) {
  const auto reading = read(body);
  REQUIRE(std::holds_alternative<ApiReply>(reading));
  return std::get<ApiReply>(reading);
}

std::string error_name(const std::string& body, int status = 200) {
  const auto reading = read(body, status);
  REQUIRE(std::holds_alternative<ApiError>(reading));
  return std::string(api_error_name(std::get<ApiError>(reading).kind));
}

std::string with_content(const std::string& content) {
  return R"({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": )" +
         content + "}}]}";
}

HttpHead head_of(int status, const Json& headers) {
  HttpHead head{status, {}, ""};
  for (const auto& item : headers.items())
    head.headers.push_back({item.key(), item.value().get<std::string>()});
  return head;
}

void check_documented(const Json& row) {
  const Json& expect = row.at("expect");
  const std::string body = row.contains("json") ? row.at("json").dump() : row.at("text").get<std::string>();
  const auto reading = read_chat(head_of(row.at("status"), row.at("headers")), body, {});
  if (const auto* answer = std::get_if<ApiReply>(&reading)) {
    if (expect.value("class", "") == "refused") {
      CHECK(answer->stop_reason == StopReason::kContentFilter);
      return;
    }
    REQUIRE_FALSE(expect.contains("class"));
    CHECK(answer->text.has_value() == !expect.at("text").is_null());
    if (answer->text) CHECK(*answer->text == expect.at("text").get<std::string>());
    const std::string finish = expect.at("finish");
    CHECK(answer->stop_reason == (finish == "length" ? StopReason::kLength : StopReason::kStop));
    return;
  }
  const ApiError& error = std::get<ApiError>(reading);
  REQUIRE(expect.contains("class"));
  CHECK(api_error_name(error.kind) == expect.at("class").get<std::string>());
  if (expect.contains("retry")) CHECK(error.may_retry == expect.at("retry").get<bool>());
  if (expect.contains("field")) CHECK(error.field == expect.at("field").get<std::string>());
  if (!expect.contains("wait_s")) return;
  CHECK(error.wait.has_value() == !expect.at("wait_s").is_null());
  if (error.wait) CHECK(error.wait->count() == Approx(expect.at("wait_s").get<double>()));
}

// Rows of other interfaces than ours: Anthropic's, completions, streams.
bool is_chat(const Json& row) {
  const std::string name = row.at("name");
  return row.at("api") != "anthropic" && !name.starts_with("sse-") &&
         name.find("logprobs") == std::string::npos;
}

}  // namespace

TEST_CASE("a body says what differs from the provider's default, and no more") {
  const std::vector<Message> messages = {{Role::kSystem, "Be short."}, {Role::kUser, "Hi"}};
  CHECK(
      dump_json(chat_body(request_of(messages, limited(7)), "m", {})) ==
      R"({"model":"m","messages":[{"role":"system","content":"Be short."},{"role":"user","content":"Hi"}],"max_tokens":7,"temperature":0.0})");
  GenerateOptions sampled = limited(7, 0.5, 0.9);
  sampled.stop = {"a", "b", "c", "d", "e"};
  sampled.stream = "s/0/0";
  const Json body = chat_body(request_of(messages, sampled), "m", {});
  CHECK(body.at("top_p") == 0.9);
  CHECK(body.at("stop").size() == 4);
  CHECK(body.at("seed").get<std::int64_t>() < (std::int64_t{1} << 31));
  CHECK(chat_body(request_of(messages, sampled), "m", {}) == body);
  sampled.stream = "s/1/0";
  CHECK(chat_body(request_of(messages, sampled), "m", {}).at("seed") != body.at("seed"));
  CHECK(chat_body(request_of(messages, {}, PromptStyle::kText), "m", {}).at("messages") ==
        Json::parse(R"([{"role": "user", "content": "Be short.\n\nHi"}])"));
}

TEST_CASE("fields that a model does not take are known, or learned") {
  const ApiFields plain = chat_fields_for("llama", "http://127.0.0.1/v1/");
  CHECK(plain == ApiFields{});
  CHECK(chat_fields_for("gpt-4o", "https://api.openai.com/v1/").max_tokens == "max_completion_tokens");
  for (const char* model : {"o1", "o3-mini", "gpt-5", "gpt-5.2-nano", "openai/o4-mini"}) {
    INFO(model);
    CHECK_FALSE(chat_fields_for(model, "http://127.0.0.1/v1/").temperature);
  }
  for (const char* model : {"o100", "gpt-50", "olmo", "qwen/o"}) {
    INFO(model);
    CHECK(chat_fields_for(model, "http://127.0.0.1/v1/").temperature);
  }
  ApiFields fields;
  CHECK(drop_field(fields, "max_tokens"));
  CHECK(fields.max_tokens == "max_completion_tokens");
  CHECK_FALSE(drop_field(fields, "max_tokens"));
  CHECK(drop_field(fields, "max_completion_tokens"));
  CHECK(fields.max_tokens.empty());
  CHECK_FALSE(drop_field(fields, ""));
  ApiFields newer;
  newer.max_tokens = "max_completion_tokens";
  CHECK(drop_field(newer, "max_completion_tokens"));
  CHECK(newer.max_tokens == "max_tokens");
  CHECK(drop_field(fields, "temperature"));
  CHECK_FALSE(drop_field(fields, "temperature"));
  CHECK_FALSE(drop_field(fields, "messages"));
  CHECK_FALSE(drop_field(fields, ""));
  GenerateOptions options = limited(7, 1, 0.5);
  options.stop = {"x"};
  const Json body =
      chat_body(request_of({{Role::kUser, "Hi"}}, options), "o3", chat_fields_for("o3", "https://a/"));
  for (const char* field : {"temperature", "top_p", "stop", "seed", "max_tokens"})
    CHECK_FALSE(body.contains(field));
  CHECK(body.contains("max_completion_tokens"));
}

TEST_CASE("answers are read as they come") {
  const ApiReply answer = answer_in(
      R"({"model": "m-2", "choices": [{"finish_reason": "length", "message": {"content": "Hi", "reasoning_content": "x"}}],)"
      R"( "usage": {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}})");
  CHECK(answer.text == "Hi");
  CHECK(answer.stop_reason == StopReason::kLength);
  CHECK(answer.prompt_tokens == 9);
  CHECK(answer.cached_tokens == 4);
  CHECK(answer.completion_tokens == 3);
  CHECK(answer.model == "m-2");
  CHECK(answer_in(with_content(R"([{"type": "text", "text": "A"}, {"type": "text", "text": "B"}])")).text ==
        "AB");
  CHECK_FALSE(answer_in(with_content("null")).text);
  CHECK(answer_in(with_content(R"(null, "refusal": "No.")")).stop_reason == StopReason::kContentFilter);
  const ApiReply odd = answer_in(
      R"({"choices": [{"finish_reason": "eos", "message": {"content": "x"}}], "usage": {"prompt_tokens": -5, "completion_tokens": 1e30}})");
  CHECK(odd.stop_reason == StopReason::kStop);
  CHECK(odd.prompt_tokens == 0);
  CHECK(odd.completion_tokens == 0);
}

TEST_CASE("text that is not UTF-8, and half characters, become replacement characters") {
  CHECK(answer_in(with_content("\"a\xff\xfe"
                               "b\""))
            .text ==
        "a\uFFFD\uFFFD"
        "b");
  CHECK(answer_in(with_content(R"("\ud83d")")).text == "\uFFFD");
  CHECK(answer_in(with_content(R"("\ude00x")")).text == "\uFFFDx");
  CHECK(answer_in(with_content(R"("\ud83d\ud83d\ude00")")).text == "\uFFFD\U0001F600");
  CHECK(answer_in(with_content(R"("\ud83d\u0041")")).text ==
        "\uFFFD"
        "A");
  CHECK(answer_in(with_content(R"("\\ud83d")")).text == "\\ud83d");
  CHECK(answer_in(with_content(R"("\ud83d\ude00")")).text == "\U0001F600");
}

TEST_CASE("what is no answer is known as such") {
  CHECK(error_name("") == "bad_response");
  CHECK(error_name("<html>sign in</html>") == "bad_response");
  CHECK(error_name(R"({"choices": [{"finish_reason": "st)") == "bad_response");
  CHECK(error_name("[]") == "bad_response");
  CHECK(error_name("{}") == "bad_response");
  CHECK(error_name(R"({"choices": []})") == "bad_response");
  CHECK(error_name(R"({"choices": {"0": 1}})") == "bad_response");
  CHECK(error_name(R"({"choices": [7]})") == "bad_response");
  CHECK(error_name(R"({"choices": [{"message": {"content": "x"}}]})") == "truncated");
  CHECK(error_name(R"({"choices": [{"message": {"content": "x"}, "finish_reason": null}]})") == "truncated");
  CHECK(error_name(R"({"error": {"message": "overloaded"}})") == "server");
  CHECK(error_name(R"({"error": "no such thing"})", 400) == "request");
  CHECK(error_name(std::string(100'000, '['), 200) == "bad_response");
  CHECK(error_name(with_content('"' + std::string(5'000'000, 'x') + '"')) == "bad_response");
  const auto page = read("<html>" + std::string(100'000, 'x'), 502);
  CHECK(std::get<ApiError>(page).message.size() <= 2048);
}

TEST_CASE("stop texts cut an answer where the server did not") {
  std::string text = "one\ntwo;three";
  CHECK(cut_at_stop(text, {";", "\n", ""}));
  CHECK(text == "one");
  CHECK_FALSE(cut_at_stop(text, {"x"}));
  CHECK_FALSE(cut_at_stop(text, {}));
}

TEST_CASE("the documented answers are read as they should be") {
  const fs::path file = vector_folder() / "api/documented.jsonl";
  if (!fs::exists(file)) {
    WARN("skipped: " << file.string() << " is not there");
    return;
  }
  std::size_t rows = 0;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, "documented.jsonl:" + std::to_string(number));
    if (!is_chat(row)) return;
    INFO(row.at("name"));
    check_documented(row);
    ++rows;
  });
  CHECK(rows == 31);
}

TEST_CASE("the recorded chats of real servers are read") {
  std::size_t answers = 0, errors = 0;
  for (const char* name : {"llamacpp", "llmock", "llmock-quota", "mockllm"}) {
    const fs::path file = vector_folder() / "api" / (std::string(name) + ".jsonl");
    if (!fs::exists(file)) {
      WARN("skipped: " << file.string() << " is not there");
      return;
    }
    for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
      const Json row = parse_json(line, file.string() + ":" + std::to_string(number));
      const Json& response = row.at("response");
      if (row.at("request").at("path") != "/v1/chat/completions" || !response.contains("json")) return;
      HttpHead head{response.at("status"), {}, ""};
      const auto reading = read_chat(head, response.at("json").dump(), {});
      INFO(row.at("name"));
      CHECK(std::holds_alternative<ApiReply>(reading) == (head.status == 200));
      ++(head.status == 200 ? answers : errors);
      if (const auto* answer = std::get_if<ApiReply>(&reading))
        CHECK(answer->text == response.at("json").at("choices").at(0).at("message").at("content"));
    });
  }
  CHECK(answers > 5);
  CHECK(errors > 10);
}

}  // namespace micius
