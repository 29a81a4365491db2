#include "runners/anthropic_messages.h"

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "shared_files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

Request request_of(std::vector<Message> messages, PromptStyle style = PromptStyle::kTurns) {
  Request request;
  request.prompt = {"s", GenerateInput{std::move(messages)}};
  request.options.max_tokens = 7;
  request.style = style;
  return request;
}

ApiFields fields() {
  ApiFields fields;
  fields.min_p = fields.seed = false;
  return fields;
}

void check_documented(const Json& row) {
  const Json& expect = row.at("expect");
  HttpHead head{row.at("status"), {}, ""};
  for (const auto& item : row.at("headers").items())
    head.headers.push_back({item.key(), item.value().get<std::string>()});
  const ApiReading reading = read_messages(head, row.at("json").dump(), {});
  if (const auto* error = std::get_if<ApiError>(&reading)) {
    CHECK(api_error_name(error->kind) == expect.at("class").get<std::string>());
    return;
  }
  const ApiReply& reply = std::get<ApiReply>(reading);
  CHECK(reply.text == expect.at("text").get<std::string>());
  CHECK(reply.stop_reason == StopReason::kStop);
  CHECK(reply.prompt_tokens == expect.at("prompt_tokens").get<int>());
  CHECK(reply.cached_tokens == expect.at("cached_tokens").get<int>());
  CHECK(reply.completion_tokens == expect.at("completion_tokens").get<int>());
}

ApiReading read(const std::string& body) { return read_messages({200, {}, ""}, body, {}); }

std::string message(const std::string& content, const std::string& reason = "\"end_turn\"") {
  return R"({"type": "message", "content": )" + content + R"(, "stop_reason": )" + reason + "}";
}

}  // namespace

TEST_CASE("a system message stands beside the conversation") {
  Request request = request_of({{Role::kSystem, "Be short."}, {Role::kUser, "Hi"}, {Role::kAssistant, "Ho"}});
  CHECK(
      dump_json(messages_body(request, "m", fields())) ==
      R"({"model":"m","max_tokens":7,"system":"Be short.","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"}],"temperature":0.0})");
  request = request_of({{Role::kSystem, "Be short."}, {Role::kUser, "Hi"}}, PromptStyle::kText);
  CHECK(messages_body(request, "m", fields()).at("messages") ==
        Json::parse(R"([{"role": "user", "content": "Be short.\n\nHi"}])"));
  CHECK_FALSE(messages_body(request, "m", fields()).contains("system"));
}

TEST_CASE("only what the API knows is sent") {
  Request request = request_of({{Role::kUser, "Hi"}});
  request.options.temperature = 0.5;
  request.options.top_p = 0.9;
  request.options.top_k = 40;
  request.options.min_p = 0.1;
  request.options.stop = {"\n", "###", " \t"};
  const Json body = messages_body(request, "m", fields());
  CHECK(body.at("top_p") == 0.9);
  CHECK(body.at("top_k") == 40);
  CHECK(body.at("stop_sequences") == Json({"###"}));
  CHECK_FALSE(body.contains("min_p"));
  CHECK_FALSE(body.contains("seed"));
  ApiFields learned = fields();
  for (const char* field : {"temperature", "top_p", "top_k", "stop_sequences"})
    CHECK(drop_field(learned, field));
  const Json less = messages_body(request, "m", learned);
  for (const char* field : {"temperature", "top_p", "top_k", "stop_sequences"})
    CHECK_FALSE(less.contains(field));
}

TEST_CASE("why a model stopped is one of our reasons") {
  const auto reason = [](const std::string& word) {
    return std::get<ApiReply>(read(message(R"([{"type": "text", "text": "x"}])", '"' + word + '"')))
        .stop_reason;
  };
  CHECK(reason("stop_sequence") == StopReason::kStop);
  CHECK(reason("max_tokens") == StopReason::kLength);
  CHECK(reason("model_context_window_exceeded") == StopReason::kLength);
  CHECK(reason("refusal") == StopReason::kContentFilter);
  CHECK(reason("tool_use") == StopReason::kToolCalls);
  CHECK(reason("pause_turn") == StopReason::kUnfinished);
  CHECK(reason("from_the_future") == StopReason::kStop);
}

TEST_CASE("an answer without text, content or end is told from one with none") {
  CHECK_FALSE(std::get<ApiReply>(read(message(R"([{"type": "thinking", "thinking": "x"}])"))).text);
  CHECK(std::get<ApiReply>(read(message(R"([{"type": "text", "text": ""}])"))).text == "");
  CHECK(std::get<ApiError>(read(message("[]", "null"))).kind == ApiErrorKind::kTruncated);
  CHECK(std::get<ApiError>(read(message("7"))).kind == ApiErrorKind::kBadResponse);
  CHECK(std::get<ApiError>(read("{}")).kind == ApiErrorKind::kBadResponse);
  CHECK(std::get<ApiError>(read("<html>")).kind == ApiErrorKind::kBadResponse);
  CHECK(std::get<ApiReply>(read(message("[7, null, {}]"))).text == std::nullopt);
}

TEST_CASE("Anthropic's documented answers are read as they should be") {
  const fs::path file = vector_folder() / "api/documented.jsonl";
  if (!fs::exists(file)) {
    WARN("skipped: " << file.string() << " is not there");
    return;
  }
  std::size_t rows = 0;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, "documented.jsonl:" + std::to_string(number));
    const std::string name = row.at("name");
    if (!name.starts_with("anthropic-")) return;
    INFO(name);
    check_documented(row);
    ++rows;
  });
  CHECK(rows == 14);
}

TEST_CASE("Anthropic's recorded answers are read") {
  std::size_t answers = 0, errors = 0;
  for (const char* server : {"llamacpp", "llmock", "llmock-quota", "mockllm"}) {
    const fs::path file = vector_folder() / "api" / (std::string(server) + ".jsonl");
    if (!fs::exists(file)) {
      WARN("skipped: " << file.string() << " is not there");
      return;
    }
    for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
      const Json row = parse_json(line, file.string() + ":" + std::to_string(number));
      const std::string path = row.at("request").at("path");
      const Json& response = row.at("response");
      if (!path.ends_with("/v1/messages") || !response.contains("json")) return;
      INFO(row.at("name"));
      const int status = response.at("status");
      const ApiReading reading = read_messages({status, {}, ""}, response.at("json").dump(), {});
      CHECK(std::holds_alternative<ApiReply>(reading) == (status == 200));
      ++(status == 200 ? answers : errors);
      if (const auto* reply = std::get_if<ApiReply>(&reading)) {
        CHECK(reply->text == response.at("json").at("content").at(0).at("text").get<std::string>());
        CHECK(reply->completion_tokens == response.at("json").at("usage").at("output_tokens").get<int>());
      }
    });
  }
  CHECK(answers >= 5);
  CHECK(errors >= 5);
}

}  // namespace micius
