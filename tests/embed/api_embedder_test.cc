#include "embed/api_embedder.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "embed/openai_embeddings.h"
#include "net/fault_server.h"
#include "shared_files.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;
using Texts = std::vector<std::string>;
using Vectors = std::vector<std::vector<float>>;

const std::string kKey = "sk-planted-0123456789abcdef";

std::variant<Vectors, ApiError> read(const std::string& body, std::size_t texts) {
  return read_embeddings({200, {}, ""}, body, texts, {});
}

std::string error_name(const std::string& body, std::size_t texts) {
  const auto reading = read(body, texts);
  REQUIRE(std::holds_alternative<ApiError>(reading));
  return std::get<ApiError>(reading).message;
}

// (length of the text, 1): a direction of its own for each length. In reverse order.
std::string answer_to(const Json& body) {
  const Json& input = body.at("input");
  Json data = Json::array();
  for (std::size_t i = input.size(); i-- > 0;) {
    data.push_back({{"object", "embedding"},
                    {"index", i},
                    {"embedding", {static_cast<double>(input[i].get<std::string>().size()), 1.0}}});
  }
  return Json{{"object", "list"}, {"data", data}}.dump();
}

ApiEmbedderOptions options_for(const FaultServer& server) {
  ApiEmbedderOptions options;
  options.url = server.url("/v1");
  options.model = "tiny";
  options.key = kKey;
  options.retries = 2;
  options.first_wait = std::chrono::milliseconds(1);
  return options;
}

std::string io_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& failure) {
    CHECK(failure.code() == ErrorCode::kIo);
    return failure.what();
  }
  return "";
}

}  // namespace

TEST_CASE("vectors come in the order of the texts, of length 1, each text once") {
  std::atomic<int> texts_asked = 0;
  FaultServer server([&](Exchange& exchange) {
    CHECK(exchange.request.path == "/v1/embeddings");
    CHECK(exchange.request.headers.at("authorization") == "Bearer " + kKey);
    const Json body = parse_json(exchange.request.body, "body");
    CHECK(body.at("model") == "tiny");
    CHECK(body.at("encoding_format") == "base64");
    texts_asked += static_cast<int>(body.at("input").size());
    exchange.answer(200, {}, answer_to(body));
  });
  ApiEmbedder embedder(options_for(server));
  CHECK(embedder.dim() == 2);
  CHECK(embedder.identity() == "tiny@" + server.url("/v1"));
  const Texts texts = {"aaa", "", "aaa", "a"};
  const std::vector<float> rows = embedder.embed(texts);
  REQUIRE(rows.size() == 8);
  CHECK(rows[0] == Approx(3 / std::sqrt(10.0)));
  CHECK(rows[1] == Approx(1 / std::sqrt(10.0)));
  CHECK(rows[2] == Approx(1 / std::sqrt(2.0)));  // "" is asked as a blank
  CHECK(rows[4] == rows[0]);
  CHECK(embedder.embed(texts) == rows);
  CHECK(texts_asked == 1 + 3);
  CHECK(embedder.embed({}).empty());
}

TEST_CASE("many texts are several requests, from several threads at once") {
  FaultServer server([](Exchange& exchange) {
    const Json body = parse_json(exchange.request.body, "body");
    if (body.at("input").size() > 2048) return exchange.answer(400, {}, "{}");
    exchange.answer(200, {}, answer_to(body));
  });
  ApiEmbedder embedder(options_for(server));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Texts texts;
      for (std::size_t i = 0; i < 3000; ++i)
        texts.push_back(std::to_string(i * 7 + static_cast<std::size_t>(t)));
      const std::vector<float> rows = embedder.embed(texts);
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto length = static_cast<float>(texts[i].size());
        if (std::abs(rows[2 * i] / rows[2 * i + 1] - length) > 1e-4f) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a server without base64 is asked for numbers") {
  FaultServer server([](Exchange& exchange) {
    const Json body = parse_json(exchange.request.body, "body");
    if (body.at("encoding_format") == "base64")
      return exchange.answer(400, {}, R"({"error": {"message": "encoding_format: float only"}})");
    exchange.answer(200, {}, answer_to(body));
  });
  ApiEmbedder embedder(options_for(server));
  const Texts texts = {"aa"};
  CHECK(embedder.embed(texts).size() == 2);
  CHECK(server.requests() == 3);
}

TEST_CASE("trouble is tried again, what no retry cures is not, and no message has the key") {
  std::atomic<int> status = 500;
  std::string body = "no, " + kKey;
  FaultServer server([&](Exchange& exchange) { exchange.answer(status, {}, body); });
  const auto failure = [&] { return io_error([&] { ApiEmbedder embedder(options_for(server)); }); };
  CHECK_THAT(failure(), Contains("HTTP 500") && !Contains("planted"));
  CHECK(server.requests() == 3);
  body = R"({"error": {"code": 500, "message": "input (5001 tokens) is too large to process"}})";
  CHECK_THAT(failure(), Contains("context_too_long"));
  CHECK(server.requests() == 4);
  body = "no, " + kKey;
  for (const int wrong : {400, 401, 404, 501}) {
    status = wrong;
    const int before = server.requests();
    CHECK_THAT(failure(), Contains("HTTP") && !Contains("planted"));
    CHECK(server.requests() == before + 1);
  }
  status = 200;
  body = R"({"data": []})";
  CHECK_THAT(failure(), Contains("0 vectors for 1 texts"));
}

TEST_CASE("what are no vectors is known as such") {
  CHECK_THAT(error_name("{}", 1), Contains("no data"));
  CHECK_THAT(error_name(R"({"data": [{"index": 1, "embedding": [1]}]})", 1), Contains("index"));
  CHECK_THAT(error_name(R"({"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]})", 2),
             Contains("two vectors"));
  CHECK_THAT(
      error_name(R"({"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]})", 2),
      Contains("1 and of 2"));
  for (const char* wrong : {"[0, 0]", "[]", "[1, \"x\"]", "[1e200, 1]", "\"AAA\"", "\"*AAA\"", "null", "7",
                            "\"AADAfw==\""})  // the last: not a number
    CHECK_THAT(error_name(std::string(R"({"data": [{"index": 0, "embedding": )") + wrong + "}]}", 1),
               Contains("no vector"));
}

TEST_CASE("recorded vectors are the same as numbers and as base64") {
  const fs::path file = vector_folder() / "api/llamacpp-embeddings-auth.jsonl";
  if (!fs::exists(file)) {
    WARN("skipped: " << file.string() << " is not there");
    return;
  }
  Vectors numbers, base64, both;
  std::size_t errors = 0;
  for_each_line(read_file(file), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, file.string() + ":" + std::to_string(number));
    if (row.at("request").at("path") != "/v1/embeddings") return;
    const std::string name = row.at("name");
    const auto reading =
        read_embeddings({row.at("response").at("status"), {}, ""}, row.at("response").at("json").dump(),
                        name == "embeddings-many" ? 2 : 1, {});
    if (name == "embeddings-one") numbers = std::get<Vectors>(reading);
    if (name == "embeddings-many") both = std::get<Vectors>(reading);
    if (name == "embeddings-base64") base64 = std::get<Vectors>(reading);
    errors += std::holds_alternative<ApiError>(reading) ? 1 : 0;
  });
  REQUIRE(numbers.size() == 1);
  REQUIRE(base64.size() == 1);
  CHECK(both.size() == 2);
  REQUIRE(numbers[0].size() == base64[0].size());
  for (std::size_t i = 0; i < numbers[0].size(); ++i)
    CHECK(numbers[0][i] == Approx(base64[0][i]).margin(1e-6));
  CHECK(errors == 3);
}

}  // namespace micius
