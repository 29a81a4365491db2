// Streamed answers, cut in every way, of every API.
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/files.h"
#include "base/rng.h"
#include "mutate.h"
#include "runners/anthropic_messages.h"
#include "runners/openai_chat.h"
#include "runners/stream_reader.h"
#include "shared_files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

const SystemClock kClock;
const HttpHead kHead{200, {{"content-type", "text/event-stream"}}, ""};

std::unique_ptr<ApiShape> shape_of(const std::string& api) {
  return api == "anthropic" ? messages_shape("m") : chat_shape("m");
}

// What comes of a stream that arrives in pieces of that size.
ApiReading read_in_pieces(const std::string& api, const std::string& stream, std::size_t bytes,
                          const HttpHead& head = kHead) {
  const auto shape = shape_of(api);
  StreamReader reader(shape->stream(), kClock, milliseconds(1000));
  for (std::size_t i = 0; i < stream.size(); i += bytes) {
    if (!reader.read(head, std::string_view(stream).substr(i, bytes))) break;
  }
  return reader.reading(*shape, head, {});
}

ApiReading read(const std::string& stream, const std::string& api = "openai") {
  return read_in_pieces(api, stream, std::max<std::size_t>(1, stream.size()));
}

std::string error_name(const std::string& stream, const std::string& api = "openai") {
  const ApiReading reading = read(stream, api);
  REQUIRE(std::holds_alternative<ApiError>(reading));
  return std::string(api_error_name(std::get<ApiError>(reading).kind));
}

ApiReply reply_in(const std::string& stream, const std::string& api = "openai") {
  const ApiReading reading = read(stream, api);
  REQUIRE(std::holds_alternative<ApiReply>(reading));
  return std::get<ApiReply>(reading);
}

// All that a reading says, as text.
std::string shown(const ApiReading& reading) {
  if (const auto* error = std::get_if<ApiError>(&reading))
    return fmt::format("{}: {} ({})", api_error_name(error->kind), error->message, error->status);
  const ApiReply& reply = std::get<ApiReply>(reading);
  return fmt::format("{} {} {} {} {} {} {}", reply.text.value_or("(null)"), reply.finish, reply.prompt_tokens,
                     reply.cached_tokens, reply.completion_tokens, reply.model, reply.fingerprint);
}

std::string chunk(const std::string& delta, const std::string& finish = "null") {
  return R"(data: {"choices": [{"index": 0, "delta": )" + delta + R"(, "finish_reason": )" + finish +
         "}]}\n\n";
}

const std::string kEnd = chunk("{}", "\"stop\""), kDone = "data: [DONE]\n\n";

void check_documented(const Json& row) {
  const Json& expect = row.at("expect");
  const std::string body = row.contains("json") ? row.at("json").dump() : row.at("text").get<std::string>();
  const std::string api = row.at("api");
  const ApiReading whole = read(body, api);
  for (const std::size_t bytes : {1, 2, 3, 7}) CHECK(shown(read_in_pieces(api, body, bytes)) == shown(whole));
  if (const auto* error = std::get_if<ApiError>(&whole)) {
    CHECK(api_error_name(error->kind) == expect.value("class", "(an answer)"));
    CHECK(error->may_retry == expect.value("retry", true));
    return;
  }
  const ApiReply& reply = std::get<ApiReply>(whole);
  CHECK_FALSE(expect.contains("class"));
  CHECK(reply.text == expect.at("text").get<std::string>());
  CHECK(reply.stop_reason == (expect.at("finish") == "length" ? StopReason::kLength : StopReason::kStop));
  CHECK(reply.completion_tokens == expect.value("completion_tokens", reply.completion_tokens));
  CHECK(reply.prompt_tokens == expect.value("prompt_tokens", reply.prompt_tokens));
}

}  // namespace

TEST_CASE("a stream of a chat is its text, its end and its usage") {
  const ApiReply reply = reply_in(
      ": ping\n\n" + chunk(R"({"role": "assistant", "content": null})") + chunk(R"({"content": "H\u00e9"})") +
      chunk(R"({"content": "llo"})") + chunk("{}", "\"length\"") +
      R"(data: {"choices": [], "model": "m-1", "system_fingerprint": "f", "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}})" +
      "\n\n" + kDone);
  CHECK(reply.text == "Héllo");
  CHECK(reply.stop_reason == StopReason::kLength);
  CHECK(reply.prompt_tokens == 9);
  CHECK(reply.cached_tokens == 4);
  CHECK(reply.completion_tokens == 2);
  CHECK(reply.model == "m-1");
  CHECK(reply.fingerprint == "f");
  CHECK_FALSE(reply_in(kEnd + kDone).text);
  CHECK(reply_in(chunk(R"({"content": ""})") + kEnd).text == "");
  CHECK(reply_in(chunk(R"({"refusal": "No."})") + kEnd).stop_reason == StopReason::kContentFilter);
  CHECK(reply_in(chunk(R"({"content": "a"})") +
                 R"(data: {"choices": [{"index": 1, "delta": {"content": "x"}}]})" + "\n\n" + kEnd)
            .text == "a");
}

TEST_CASE("a stream without its end is none, whatever it says at last") {
  const std::string text = chunk(R"({"content": "a"})");
  CHECK(error_name("") == "truncated");
  CHECK(error_name(text) == "truncated");
  CHECK(error_name(text + kDone) == "truncated");
  CHECK(error_name(text + kEnd.substr(0, kEnd.size() - 1)) == "truncated");
  CHECK(reply_in(text + kEnd).text == "a");
  CHECK(reply_in(text + kEnd + "data: [DO").text == "a");
}

TEST_CASE("what does not belong in a stream spoils it") {
  const std::string text = chunk(R"({"content": "a"})");
  CHECK(error_name(text + "data: {\"choices\": [{\"del\n\n" + kEnd + kDone) == "bad_response");
  CHECK(error_name(text + "data: 7\n\n" + kEnd) == "bad_response");
  CHECK(error_name(text + "data: {\"choices\": 7}\n\n" + kEnd) == "bad_response");
  CHECK(error_name(text + "data: {\"choices\": [7]}\n\n" + kEnd) == "bad_response");
  CHECK(error_name(kEnd + text + kDone) == "bad_response");  // reordered
  CHECK(error_name(text + R"(data: {"error": {"type": "overloaded_error", "message": "m"}})" + "\n\n" +
                   kEnd) == "server");
  CHECK(reply_in(text + kEnd + kDone + text + "data: {\"error\": 1}\n\n").text == "a");
  CHECK(reply_in(text + kEnd + kEnd).text == "a");
  CHECK(error_name(chunk(R"({"content": ")" + std::string(5'000'000, 'x') + "\"}") + kEnd) == "bad_response");
}

TEST_CASE("what is no stream is judged by what it is") {
  CHECK(error_name("<html>sign in</html>") == "bad_response");
  CHECK(error_name("upstream connect error") == "bad_response");
  CHECK(error_name("\n\n  {\"choices\": [") == "bad_response");
  CHECK(reply_in(R"(  {"choices": [{"finish_reason": "stop", "message": {"content": "A"}}]})").text == "A");
  const ApiReading busy = read_in_pieces("openai", R"({"error": {"message": "m"}})", 3, {503, {}, ""});
  CHECK(std::get<ApiError>(busy).status == 503);
}

TEST_CASE("a line without end is no answer, and is not asked for again") {
  const auto shape = chat_shape("m");
  StreamReader reader(shape->stream(), kClock, milliseconds(1000));
  bool goes_on = true;
  for (int i = 0; i < 9 && goes_on; ++i)
    goes_on = reader.read(kHead, (i == 0 ? "data: " : "") + std::string(1 << 20, 'x'));
  CHECK_FALSE(goes_on);
  const ApiReading reading = reader.reading(*shape, kHead, {});
  CHECK(std::get<ApiError>(reading).kind == ApiErrorKind::kBadResponse);
  CHECK_FALSE(std::get<ApiError>(reading).may_retry);
}

TEST_CASE("the first token is noticed when it comes, not before, and takes the time limit away") {
  const auto shape = chat_shape("m");
  StreamReader reader(shape->stream(), kClock, milliseconds(1000));
  CHECK(reader.deadline());
  reader.read(kHead, ": ping\n\n" + chunk(R"({"role": "assistant", "content": ""})"));
  CHECK_FALSE(reader.first_token());
  CHECK(reader.deadline());
  const auto before = kClock.now();
  reader.read(kHead, chunk(R"({"reasoning_content": "Hm"})"));
  REQUIRE(reader.first_token());
  CHECK(*reader.first_token() >= before);
  CHECK_FALSE(reader.deadline());
  const auto first = *reader.first_token();
  reader.read(kHead, chunk(R"({"content": "a"})"));
  CHECK(*reader.first_token() == first);
  CHECK_FALSE(reader.is_whole());
  reader.read(kHead, kEnd);
  CHECK(reader.is_whole());
  CHECK(reader.deadline());  // for the usage
}

TEST_CASE("Anthropic's blocks are put together in their order") {
  const auto event = [](const std::string& json) { return "data: " + json + "\n\n"; };
  const std::string start = event(
      R"({"type": "message_start", "message": {"model": "m-1", "usage": {"input_tokens": 7, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 1, "output_tokens": 1}}})");
  const std::string think =
      event(
          R"({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}})") +
      event(
          R"({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}})") +
      event(R"({"type": "content_block_stop", "index": 0})");
  const auto text = [&](int index, const std::string& words) {
    return event(R"({"type": "content_block_delta", "index": )" + std::to_string(index) +
                 R"(, "delta": {"type": "text_delta", "text": ")" + words + "\"}}");
  };
  const std::string stop = event(
      R"({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}})");
  const std::string over = event(R"({"type": "message_stop"})");
  const ApiReply reply = reply_in(start + think + text(2, "B") + event(R"({"type": "ping"})") + text(1, "A") +
                                      event(R"({"type": "from_the_future"})") + stop + over,
                                  "anthropic");
  CHECK(reply.text == "AB");
  CHECK(reply.prompt_tokens == 10);
  CHECK(reply.cached_tokens == 2);
  CHECK(reply.completion_tokens == 9);
  CHECK(reply.model == "m-1");
  CHECK_FALSE(reply_in(start + think + stop, "anthropic").text);
  CHECK(error_name(start + text(1, "A") + over, "anthropic") == "truncated");
  CHECK(error_name(start + text(1, "A"), "anthropic") == "truncated");
  CHECK(error_name(stop + text(1, "A"), "anthropic") == "bad_response");
  CHECK(error_name(think + text(0, "A") + stop, "anthropic") == "bad_response");
  CHECK(error_name(think + think + stop, "anthropic") == "bad_response");
  CHECK(error_name(R"(event: error
data: {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}

)" + stop,
                   "anthropic") == "server");
  CHECK(reply_in(stop + over + text(1, "late"), "anthropic").finish == "end_turn");
}

TEST_CASE("no damage makes a stream throw, and every cut of it reads the same") {
  const std::string good = ": ping\n\n" + chunk(R"({"content": "a"})") +
                           chunk(R"({"content": "\u00e9\ud83d\ude00"})") + kEnd + kDone;
  Rng rng("stream/damage");
  for (int i = 0; i < 3000; ++i) {
    const std::string api = i % 2 == 0 ? "openai" : "anthropic";
    std::string stream = mutate(good, rng);
    for (std::size_t n = rng.below(3); n > 0; --n) stream = mutate(std::move(stream), rng);
    const std::string whole = shown(read(stream, api));
    if (shown(read_in_pieces(api, stream, 1 + rng.below(9))) != whole) FAIL_CHECK(whole);
  }
}

TEST_CASE("the documented streams are read as they should be") {
  const fs::path file = vector_folder() / "api/documented.jsonl";
  if (!fs::exists(file)) {
    WARN("skipped: " << file.string() << " is not there");
    return;
  }
  std::size_t rows = 0;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, "documented.jsonl:" + std::to_string(number));
    const std::string name = row.at("name");
    if (!name.starts_with("sse-") && name != "json-where-sse-was-asked") return;
    INFO(name);
    check_documented(row);
    ++rows;
  });
  CHECK(rows == 14);
}

TEST_CASE("the recorded streams of real servers are read") {
  std::size_t whole = 0, broken = 0;
  for (const char* server : {"llamacpp", "llmock", "mockllm"}) {
    const fs::path file = vector_folder() / "api" / (std::string(server) + ".jsonl");
    if (!fs::exists(file)) {
      WARN("skipped: " << file.string() << " is not there");
      return;
    }
    for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
      const Json row = parse_json(line, file.string() + ":" + std::to_string(number));
      const Json& response = row.at("response");
      if (!response.contains("text") ||
          response.at("text").get<std::string>().find("data:") == std::string::npos)
        return;
      const std::string name = row.at("name"), stream = response.at("text");
      const std::string api = name.starts_with("anthropic") ? "anthropic" : "openai";
      INFO(server << " " << name);
      const ApiReading reading = read(stream, api);
      const bool is_broken = name.find("stream-") != std::string::npos &&
                             name.find("usage") == std::string::npos &&
                             name.find("unicode") == std::string::npos;
      CHECK(std::holds_alternative<ApiError>(reading) == is_broken);
      ++(is_broken ? broken : whole);
      for (const std::size_t bytes : {1, 2, 5})
        CHECK(shown(read_in_pieces(api, stream, bytes)) == shown(reading));
    });
  }
  CHECK(whole == 9);
  CHECK(broken == 6);
}

}  // namespace micius
