#include "runners/api_probe.h"

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runners/api_trial.h"

namespace micius {
namespace {

using Catch::Contains;
using namespace std::chrono_literals;

struct Looked {
  ApiFindings findings;
  std::string error;
  ListLog log;
};

Looked look(const std::string& url, std::chrono::milliseconds patience = 0ms, std::stop_token stop = {}) {
  ApiSettings settings;
  settings.openai = {url, kKey};
  settings.patience = patience;
  settings.stop = std::move(stop);
  HttpClient client({});
  Looked looked;
  try {
    looked.findings =
        find_server(client, endpoint_of(ApiKind::kOpenAi, "tiny", settings), settings, &looked.log);
  } catch (const Error& error) {
    looked.error = error.what();
  }
  return looked;
}

std::string url_of_nobody() {
  const FaultServer gone([](Exchange&) {});
  return gone.url("/v1");
}

}  // namespace

TEST_CASE("what servers say of their models is read, and what is no list is none") {
  const ApiFindings vllm = read_models(
      R"({"data": [{"id": "a", "max_model_len": 8192}, {"id": "tiny", "max_model_len": 2048}]})", "tiny");
  CHECK(vllm.models == std::vector<std::string>{"a", "tiny"});
  CHECK(vllm.context->tokens == 2048);
  CHECK(vllm.context->refuses);
  const ApiFindings llama =
      read_models(R"({"data": [{"id": "x", "meta": {"n_ctx": 4096, "n_ctx_train": 8192}}]})", "tiny");
  CHECK(llama.context->tokens == 4096);
  CHECK_FALSE(llama.context->refuses);
  CHECK_FALSE(read_models(R"({"data": [{"id": "a", "max_model_len": 9}, {"id": "b"}]})", "tiny").context);
  for (const char* body : {"", "<html>", "[]", R"({"data": 7})", R"({"data": [7, null, {"id": 3}]})",
                           R"({"data": [{"id": "tiny", "max_model_len": -1}]})",
                           R"({"data": [{"id": "tiny", "max_model_len": "many"}]})"}) {
    INFO(body);
    CHECK_FALSE(read_models(body, "tiny").context);
  }
}

TEST_CASE("a server is there whatever it answers with") {
  int status = 200;
  std::string body = R"({"data": [{"id": "tiny", "max_model_len": 77}]})";
  FaultServer server(
      [&](Exchange& exchange) {
        if (status == 0) return exchange.reset();
        exchange.answer(status, {}, body);
      },
      ModelList::kByHandler);
  const Looked found = look(server.url("/v1"));
  CHECK(found.error.empty());
  CHECK(found.findings.context->tokens == 77);
  CHECK(server.seen().at(0).path == "/v1/models");
  CHECK(server.seen().at(0).headers.at("authorization") == "Bearer " + kKey);
  body = "no";
  for (const int other : {200, 301, 401, 404, 500, 0}) {
    status = other;
    const Looked looked = look(server.url("/v1"));
    CHECK(looked.error.empty());
    CHECK(looked.findings.models.empty());
    CHECK(looked.log.lines.empty());
  }
}

TEST_CASE("a host that nobody knows ends it at once, a server that is not there after a while") {
  // No name has so long a part, so nobody is asked for it.
  const std::string nowhere = "https://" + std::string(64, 'a') + ".invalid/v1";
  const Looked unknown = look(nowhere, 60s);
  CHECK_THAT(unknown.error, Contains("openai:tiny: " + nowhere + ": host not found") &&
                                Contains("--base-url") && !Contains("planted"));
  const std::string url = url_of_nobody();
  const Looked refused = look(url, 1ms);
  CHECK_THAT(refused.error, Contains(url) && Contains("no connection"));
  REQUIRE(refused.log.lines.size() == 1);
  CHECK_THAT(refused.log.lines[0], Contains("waited for"));
  std::stop_source stop;
  stop.request_stop();
  CHECK(look(url, 60s, stop.get_token()).error.empty());
}

}  // namespace micius
