// What is found out of a server before the first sample.
#include <string>

#include <catch2/catch.hpp>

#include "cli/remote_session.h"

namespace micius {

using Catch::Contains;

TEST_CASE("a server that is not there is found before the first sample, with what to do") {
  const TempDir folder;
  const auto run = [&](const std::string& url, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"run", "infrawise", "--model", "openai:m", "--base-url", url};
    words.insert(words.end(), more.begin(), more.end());
    return run_micius(folder.path(), {"-u", "OPENAI_API_KEY", "MICIUS_DB=micius.db", "no_proxy=*"}, words);
  };
  // No name has so long a part, so nobody is asked for it.
  const std::string nowhere = "http://" + std::string(64, 'a') + ".invalid/v1";
  const Outcome unknown = run(nowhere, {});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, Contains("openai:m: " + nowhere + ": host not found") && Contains("--base-url"));
  int free_port = 0;
  {
    free_port = FaultServer([](Exchange&) {}).port();
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(free_port) + "/v1";
  const Outcome refused = run(url, {"--timeout", "1"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Contains(url + ": no connection") && Contains("waited for, up to 1 s") &&
                              Contains("--base-url"));
  CHECK_THAT(run_micius(folder.path(), {"MICIUS_DB=micius.db"}, {"list", "runs"}).out,
             !Contains("infrawise"));
}

TEST_CASE("a wrong name of a model is answered with those that are there") {
  FaultServer server(
      [](Exchange& exchange) {
        if (exchange.request.path == "/v1/models")
          return exchange.answer(200, {}, R"({"data": [{"id": "tiny"}, {"id": "large"}]})");
        exchange.answer(404, {}, R"({"error": {"message": "no such model", "code": "model_not_found"}})");
      },
      ModelList::kByHandler);
  const RemoteSession session(server);
  const Outcome near = session.run({"run", "infrawise", "--model", "openai:tinny@" + session.url});
  CHECK(near.exit_code == 1);
  CHECK_THAT(near.err, Contains("did you mean 'tiny'?"));
  CHECK_THAT(session.run({"run", "infrawise", "--model", "openai:gpt-9@" + session.url}).err,
             Contains("it has tiny, large"));
}

TEST_CASE("the context that a server tells is held against prompts and answers") {
  FaultServer server(
      [](Exchange& exchange) {
        if (exchange.request.path == "/v1/models")
          return exchange.answer(200, {}, R"({"data": [{"id": "tiny", "max_model_len": 300}]})");
        exchange.answer(200, {}, chat("x"));
      },
      ModelList::kByHandler);
  const RemoteSession session(server);
  const auto run = [&](const char* tokens) {
    return session.run({"run", "infrawise", "--model", "openai:tiny@" + session.url, "--limit", "2",
                        "--max-tokens", tokens, "--progress", "none"});
  };
  const Outcome none = run("300");
  CHECK(none.exit_code == 1);
  CHECK_THAT(none.err, Contains("300 tokens for an answer leave no room") && Contains("--max-tokens"));
  CHECK(server.requests() == 1);
  const Outcome tight = run("290");
  CHECK(tight.exit_code == 0);
  CHECK_THAT(tight.err, Contains("the server's context 300"));
}

}  // namespace micius
