// The response cache as a user has it, against a server of the test's own.
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <signal.h>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "cli/remote_session.h"
#include "net/fault_server.h"
#include "store/answer_cache.h"
#include "store/sqlite_internal.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

// A server that is asked directly, or as the proxy of one on another machine.
struct Session {
  Session() : server([](Exchange& e) { e.answer(200, {}, chat("ls, with " + kKey)); }) {
    write_prices(folder.path(), server.url("/v1"));
  }
  Outcome run(std::vector<std::string> arguments, const std::vector<std::string>& more = {}) {
    std::vector<std::string> environment = more;
    environment.insert(environment.end(), {"MICIUS_DB=micius.db", "MICIUS_CACHE_DIR=cache"});
    return run_micius(folder.path(), environment, arguments);
  }
  Outcome ask_here(const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "run",     "infrawise", "--model",    "openai:tiny@" + server.url("/v1"),
        "--limit", "3",         "--fresh",    "--progress",
        "none",    "--prices",  "prices.json"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, {"OPENAI_API_KEY=" + kKey, "no_proxy=127.0.0.1"});
  }
  Outcome ask_elsewhere(const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "run",     "infrawise",  "--model", "openai:tiny@http://models.example/v1", "--limit", "3",
        "--fresh", "--progress", "none"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words,
               {"-u", "OPENAI_API_KEY", "-u", "no_proxy", "-u", "NO_PROXY", "http_proxy=" + server.url("")});
  }
  int questions() const {
    int count = 0;
    for (const SeenRequest& request : server.seen()) count += request.method == "POST";
    return count;
  }
  Json report() {
    return parse_json(run({"report", "latest", "--format", "json"}).out, "report").at("reports").at(0);
  }

  TempDir folder;
  FaultServer server;
};

}  // namespace

TEST_CASE("a run of questions that were asked before sends nothing, costs nothing and says so") {
  Session session;
  CHECK(session.ask_here({"--cache", "on"}).exit_code == 0);
  CHECK(session.questions() == 3);
  const Json first = session.report();
  CHECK(first.at("usage").at("requests") == 3);
  CHECK_FALSE(first.at("run").contains("notes"));
  CHECK(first.at("usage").at("cost_usd").get<double>() == Approx(3 * 15e-6));
  const Outcome again = session.ask_here({"--cache", "on"});
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(session.questions() == 3);
  const Json second = session.report();
  CHECK(second.at("metrics") == first.at("metrics"));
  CHECK_THAT(second.at("run").at("notes").at(0).get<std::string>(),
             Contains("3 of 3 answers are from the cache"));
  CHECK(second.at("usage").at("requests") == 0);
  CHECK(second.at("usage").at("cost_usd") == 0.0);
  CHECK(second.at("usage").at("prompt_tokens") == 33);
  CHECK_FALSE(second.at("timing").contains("latency_s"));
  const std::string shown = session.run({"show", "latest", "--samples", "--format", "jsonl"}).out;
  for (const std::string_view line : split(strip(shown), '\n'))
    CHECK(parse_json(line, "record").at("turns").at(0).at("from_cache") == true);
  const auto stable = [&](const char* run) {
    return parse_json(session.run({"report", run, "--format", "json", "--stable"}).out, "report");
  };
  CHECK(stable("1") == stable("2"));
  CHECK(session.ask_here({"--cache", "off"}).exit_code == 0);
  CHECK(session.questions() == 6);
  CHECK(session.ask_here({"--cache", "on", "--max-tokens", "7"}).exit_code == 0);
  CHECK(session.questions() == 9);
  for (const auto& file : fs::recursive_directory_iterator(session.folder.path()))
    if (file.is_regular_file()) CHECK(read_file(file.path()).find("planted") == std::string::npos);
}

TEST_CASE("an answer whose record a kill lost comes back from the cache with what it cost") {
  const TempDir folder;
  std::optional<SqliteDatabase> locked;  // no record is kept while it is there
  std::mutex mutex;
  int questions = 0;
  const auto serve = [&](Exchange& exchange) {
    std::unique_lock lock(mutex);
    const int number = ++questions;
    if (number == 1) {
      locked.emplace(folder.path() / "micius.db");
      locked->execute("BEGIN IMMEDIATE");
    }
    lock.unlock();
    if (number == 3) {
      const auto are_kept = [&] { return answer_cache_stats(folder.path() / "answers.db").answers >= 2; };
      for (int i = 0; i < 2000 && !are_kept(); ++i) exchange.pause(10);  // what is not kept fails below
      ::kill(std::stoi(read_file(folder.path() / "pid")), SIGKILL);
      return exchange.close();
    }
    exchange.answer(200, {}, chat("ls"));
  };
  FaultServer server(serve);
  write_prices(folder.path(), server.url("/v1"));
  const auto run = [&](std::vector<std::string> words, const std::vector<std::string>& prefix) {
    words.insert(words.end(), {"--cache", "on", "--concurrency", "3", "--progress", "none"});
    std::vector<std::string> before = {"-u", "OPENAI_API_KEY", "no_proxy=127.0.0.1", "MICIUS_DB=micius.db"};
    before.insert(before.end(), prefix.begin(), prefix.end());
    return run_micius(folder.path(), before, words);
  };
  const std::string model = "openai:tiny@" + server.url("/v1");
  run({"run", "infrawise", "--model", model, "--limit", "3", "--prices", "prices.json"},
      {"sh", "-c", "echo $$ > pid; exec \"$0\" \"$@\""});
  locked.reset();
  CHECK(questions == 3);
  const auto report = [&] {
    const Outcome outcome =
        run_micius(folder.path(), {"MICIUS_DB=micius.db"}, {"report", "latest", "--format", "json"});
    return parse_json(outcome.out, "report").at("reports").at(0);
  };
  CHECK(report().at("counts").at("scored") == 0);
  const Outcome resumed = run({"resume", "--prices", "prices.json"}, {});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(questions == 4);  // the one that was not answered
  const Json whole = report();
  CHECK(whole.at("counts").at("scored") == 3);
  CHECK(whole.at("usage").at("cost_usd").get<double>() == Approx(3 * 15e-6));
  CHECK(whole.at("usage").at("requests") == 3);
  CHECK_FALSE(whole.at("run").contains("notes"));
  SqliteDatabase database(folder.path() / "micius.db");
  Statement rows(database, "SELECT count(*) FROM v_records WHERE cost_usd > 0 AND latency_ns > 0");
  rows.step();
  CHECK(rows.integer(0) == 3);
  Statement attempts(database, "SELECT count(*) FROM v_attempts WHERE status = 200");
  attempts.step();
  CHECK(attempts.integer(0) == 3);
}

TEST_CASE("without being asked greedy answers of other machines alone are cached") {
  Session session;
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = session.ask_elsewhere({});
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
  }
  CHECK(session.questions() == 3);
  CHECK(fs::exists(session.folder.path() / "cache/answers.db"));
  for (int i = 0; i < 2; ++i)
    CHECK(session.ask_elsewhere({"--temperature", "0.7", "--repeats", "2"}).exit_code == 0);
  CHECK(session.questions() == 3 + 12);
  for (int i = 0; i < 2; ++i)
    CHECK(session.ask_elsewhere({"--temperature", "0.7", "--repeats", "2", "--cache", "on"}).exit_code == 0);
  CHECK(session.questions() == 3 + 12 + 6);
  for (int i = 0; i < 2; ++i) CHECK(session.ask_here({}).exit_code == 0);
  CHECK(session.questions() == 3 + 12 + 6 + 6);
}

TEST_CASE("cache stats and clear") {
  Session session;
  const auto stats = [&] {
    return parse_json(session.run({"cache", "stats", "--format", "json"}).out, "stats");
  };
  CHECK(stats().at("answers") == 0);
  CHECK(stats().at("oldest").is_null());
  CHECK_FALSE(fs::exists(session.folder.path() / "cache"));
  CHECK(session.ask_here({"--cache", "on"}).exit_code == 0);
  CHECK(stats().at("answers") == 3);
  CHECK(stats().at("models").at(0).at("name") == "openai:tiny");
  CHECK_THAT(session.run({"cache", "stats"}).out, Contains("3 answers") && Contains("openai:tiny"));
  CHECK_THAT(session.run({"cache", "clear"}).out, Contains("3 answers"));
  CHECK(stats().at("answers") == 0);
  CHECK(session.ask_here({"--cache", "on"}).exit_code == 0);
  CHECK(session.questions() == 6);
}

TEST_CASE("a cache that cannot be used is an error where it was asked for, else a warning") {
  Session session;
  fs::create_directories(session.folder.path() / "cache");
  std::ofstream(session.folder.path() / "cache/answers.db") << std::string(5000, 'x');
  const Outcome asked = session.ask_here({"--cache", "on"});
  CHECK(asked.exit_code == 2);
  CHECK_THAT(asked.err, Contains("answers.db") && Contains("--cache off"));
  CHECK(session.questions() == 0);
  const Outcome outcome = session.ask_elsewhere({});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("answers are not cached") && Contains("answers.db"));
  CHECK(session.questions() == 3);
  CHECK(session.run({"cache", "clear"}).exit_code == 2);
}

}  // namespace micius
