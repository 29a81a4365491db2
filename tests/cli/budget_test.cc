// A budget against a server that bills what it likes, as far as it was allowed to.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "cli/biller.h"
#include "cli/program.h"
#include "cli/remote_session.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;

}  // namespace

TEST_CASE("a budget is never gone over, with 100 requests at once and answers of unknown length") {
  for (const bool spoils : {false, true}) {
    INFO("spoils " << spoils);
    Biller biller(spoils);
    FaultServer server([&](Exchange& exchange) { biller(exchange); });
    const TempDir folder;
    write_counting_task(folder.path(), 3000);
    write_prices(folder.path(), server.url("/v1"));
    for (const std::int64_t budget : {90'000, 250'000}) {
      biller.billed = 0;
      const Outcome outcome = run_micius(
          folder.path(), {"-u", "OPENAI_API_KEY", "no_proxy=127.0.0.1", "MICIUS_DB=micius.db"},
          {"run", "./count.json", "--model", "openai:tiny@" + server.url("/v1"), "--fresh", "--concurrency",
           "100", "--prices", "prices.json", "--budget", fmt::format("{}", static_cast<double>(budget) / 1e6),
           "--progress", "none", "--retries", "3"});
      INFO(outcome.err);
      CHECK(outcome.exit_code == 1);
      CHECK_THAT(outcome.err, Contains("budget: ") && Contains("micius resume"));
      CHECK(biller.billed <= budget);
      // What is lost counts at its most, but the budget is not left unused either.
      CHECK(biller.billed >= budget * (spoils ? 4 : 9) / 10);
      const Outcome report =
          run_micius(folder.path(), {"MICIUS_DB=micius.db"}, {"report", "latest", "--format", "json"});
      const Json usage = parse_json(report.out, "report").at("reports").at(0).at("usage");
      if (!spoils)
        CHECK(usage.at("cost_usd").get<double>() == Approx(static_cast<double>(biller.billed) / 1e6));
    }
  }
}

TEST_CASE("resume's budget is of all runs of a model together") {
  FaultServer server([](Exchange& exchange) {
    Json answer = parse_json(chat("x"), "answer");
    answer["usage"]["prompt_tokens"] = 1'000'000;  // a dollar
    exchange.answer(200, {}, answer.dump());
  });
  const RemoteSession session(server);
  write_prices(session.folder.path(), session.url);
  const auto run = [&](std::vector<std::string> words, const std::string& budget) {
    words.insert(words.end(),
                 {"--concurrency", "1", "--progress", "none", "--prices", "prices.json", "--budget", budget});
    return session.run(words).exit_code;
  };
  CHECK(run({"run", "infrawise,nl2kql", "--model", "openai:tiny@" + session.url, "--limit", "2"}, "0") == 1);
  CHECK(server.requests() == 0);
  CHECK(run({"resume"}, "3") == 1);
  CHECK(server.requests() == 3);
  CHECK(run({"resume"}, "3") == 0);
  CHECK(server.requests() == 4);
}

}  // namespace micius
