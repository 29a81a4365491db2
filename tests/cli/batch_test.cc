// `--batch` as a user has it, against a provider of the test's own.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "processes.h"
#include "runners/batch_mock.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

const std::string kKey = "sk-planted-0123456789abcdef";
constexpr std::size_t kQuestions = 5;

MockOutcome echo(const std::string& text, int) { return {.text = "to " + text}; }

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Desk {
  explicit Desk(const BatchMock& mock, std::string kind = "openai")
      : model(kind + ":tiny@" + (kind == "openai" ? mock.url() : mock.root())) {
    std::ofstream cases(folder.path() / "cases.jsonl");
    for (std::size_t i = 0; i < kQuestions; ++i)
      cases << R"({"q": "question )" << i << R"(", "right": "to question )" << i << "\"}\n";
    std::ofstream(folder.path() / "echo.json") << R"({"micius_task": 1, "name": "echo", "version": 1,
             "dataset": {"loader": "jsonl", "path": "cases.jsonl", "input": "q", "targets": "right"},
             "prompt": {"user": "{{input}}"}, "generate": {"max_tokens": 16},
             "scorer": {"name": "exact"}, "metrics": ["acc"]})";
    std::ofstream(folder.path() / "prices.json")
        << R"({"micius_prices": 1, "prices": [
             {"provider": "openai", "url": ")"
        << mock.url()
        << R"(", "model": "tiny", "from": "2024-01-01", "input": "1.00", "output": "2.00", "batch_factor": "0.5"},
             {"provider": "anthropic", "url": ")"
        << mock.root()
        << R"(", "model": "tiny", "from": "2024-01-01", "input": "1.00", "output": "2.00", "batch_factor": "0.5"}]})";
  }
  std::vector<std::string> environment() const {
    return {"HOME=" + folder.path().string(), "OPENAI_API_KEY=" + kKey, "ANTHROPIC_API_KEY=" + kKey,
            "no_proxy=127.0.0.1", "MICIUS_DB=micius.db"};
  }
  Outcome run(const std::vector<std::string>& arguments) const {
    return run_micius(folder.path(), environment(), arguments);
  }
  std::vector<std::string> command() const {
    return {"run",      "./echo.json", "--model",    model, "--batch",
            "--prices", "prices.json", "--progress", "none"};
  }
  // A process of its own, to be killed.
  pid_t start(std::vector<std::string> words) const {
    words.insert(words.begin(), built_micius().string());
    std::vector<std::string> variables = environment();
    variables.push_back("PATH=" + std::string(std::getenv("PATH")));
    const std::vector<char*> argv = pointers_to(words), envp = pointers_to(variables);
    return in_child([&] {  // other threads are at work: nothing is allocated in it
      if (::chdir(folder.path().c_str()) != 0) return 98;
      const int log = ::open(".killed", O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(log, 1);
      ::dup2(log, 2);
      ::execve(argv[0], argv.data(), envp.data());
      return 97;
    });
  }
  Json report() const {
    const Outcome outcome = run({"report", "latest", "--format", "json"});
    return parse_json(outcome.out, "report").at("reports").at(0);
  }
  bool has_key_anywhere() const {
    for (const auto& file : fs::recursive_directory_iterator(folder.path()))
      if (file.is_regular_file() && read_file(file.path()).find("planted") != std::string::npos) return true;
    return false;
  }

  TempDir folder;
  std::string model;
};

void check_each_once(const BatchMock& mock) {
  const auto asked = mock.asked();
  CHECK(asked.size() == kQuestions);
  for (const auto& [text, times] : asked) {
    INFO(text);
    CHECK(times == 1);
  }
}

}  // namespace

TEST_CASE("a run with --batch asks for half the price, and its runs are as any other") {
  for (const char* kind : {"openai", "anthropic"}) {
    BatchMock mock(echo);
    mock.set_looks(2);
    const Desk desk(mock, kind);
    const Outcome outcome = desk.run(desk.command());
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.err, Contains("batch_1") && Contains("micius resume"));
    CHECK(mock.batches() == 1);
    check_each_once(mock);
    const Json report = desk.report();
    CHECK(report.at("metrics").at(0).at("value") == 1.0);
    CHECK(report.at("usage").at("cost_usd").get<double>() == Approx(kQuestions * (11 * 0.5e-6 + 2 * 1e-6)));
    CHECK_FALSE(desk.has_key_anywhere());
    std::vector<std::string> dry = desk.command();
    dry.insert(dry.end(), {"--dry-run", "--format", "json"});
    const Json half = parse_json(desk.run(dry).out, "dry run").at("sum").at("cost_usd").at("high");
    std::erase(dry, "--batch");
    const Json whole = parse_json(desk.run(dry).out, "dry run").at("sum").at("cost_usd").at("high");
    CHECK(half.get<double>() == Approx(whole.get<double>() / 2));
  }
}

TEST_CASE("batches of up to 32 tasks are with the provider at the same time, the others follow") {
  constexpr std::size_t kTasks = 35, kTogether = 32;
  BatchMock mock(echo);
  mock.set_looks(1'000'000);  // none ends before the others are there
  const Desk desk(mock);
  const std::string task = read_file(desk.folder.path() / "echo.json");
  std::vector<std::string> words = desk.command();
  for (std::size_t i = 1; i < kTasks; ++i) {
    const std::string name = fmt::format("echo{}", i);
    std::ofstream(desk.folder.path() / (name + ".json"))
        << replace_all(task, "\"echo\"", fmt::format("\"{}\"", name));
    words[1] += ",./" + name + ".json";
  }
  std::size_t together = 0;
  std::jthread provider([&] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (mock.batches() < kTogether && std::chrono::steady_clock::now() < end) ::usleep(10'000);
    ::usleep(300'000);
    together = mock.batches();
    mock.set_looks(0);
  });
  const Outcome outcome = desk.run(words);
  provider.join();
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(together == kTogether);
  const Json reports =
      parse_json(desk.run({"report", "latest", "--format", "json"}).out, "report").at("reports");
  REQUIRE(reports.size() == kTasks);
  for (const Json& report : reports) CHECK(report.at("counts").at("scored") == kQuestions);
}

TEST_CASE("a budget with --batch is one for all tasks") {
  BatchMock mock(echo);
  const Desk desk(mock);
  std::ofstream(desk.folder.path() / "second.json")
      << replace_all(read_file(desk.folder.path() / "echo.json"), "\"echo\"", "\"second\"");
  const auto asked_for = [&](const std::string& tasks) {
    std::vector<std::string> words = desk.command();
    words[1] = tasks;
    words.insert(words.end(), {"--fresh", "--budget", "0.00013"});  // two questions at their most
    return desk.run(words);
  };
  const Outcome alone = asked_for("./echo.json");
  INFO(alone.err);
  CHECK(alone.exit_code == 0);
  const Outcome both = asked_for("./echo.json,./second.json");
  INFO(both.err);
  CHECK(both.exit_code == 1);
  CHECK_THAT(both.err, Contains("--budget 0.0001 leaves nothing"));
}

TEST_CASE("kill -9 at any request of a batch: resume asks no question twice") {
  for (const std::string kind : {"openai", "anthropic"}) {
    for (const bool is_served : {true, false}) {
      for (int point = 1;; ++point) {
        BatchMock mock(echo);
        mock.set_looks(1);
        const Desk desk(mock, kind);
        std::atomic<pid_t> child = 0;
        std::atomic<bool> was_killed = false;
        mock.on_request([&](int number) {
          if (number != point || was_killed) return true;
          while (child == 0) ::usleep(1000);
          was_killed = true;  // first: the test goes on once the child is gone
          ::kill(child, SIGKILL);
          return is_served;
        });
        child = desk.start(desk.command());
        wait_for(child);
        if (!was_killed) {
          CHECK(point > 3);
          break;
        }
        INFO(kind << ", killed at request " << point << (is_served ? ", which was served" : ""));
        const Outcome resumed = desk.run({"resume", "--prices", "prices.json", "--progress", "none"});
        INFO(resumed.err);
        CHECK(resumed.exit_code == 0);
        check_each_once(mock);
        CHECK(desk.report().at("counts").at("scored") == kQuestions);
      }
    }
  }
}

TEST_CASE("a run begun in batches goes on in batches, and another one does not take it up") {
  BatchMock mock(echo);
  mock.set_status("failed");
  const Desk desk(mock);
  const Outcome refused = desk.run(desk.command());
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("Enqueued token limit") && Contains("micius resume 1"));
  std::vector<std::string> at_once = desk.command();
  std::erase(at_once, "--batch");
  const Outcome another = desk.run(at_once);  // whose questions the provider does not know at this address
  INFO(another.err);
  CHECK_THAT(another.err, Contains("run 2"));
  CHECK(mock.batches() == 1);
  mock.set_status("completed");
  const Outcome resumed = desk.run({"resume", "1", "--progress", "none"});
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(mock.batches() == 2);
}

TEST_CASE("a run with --batch is refused before anything is sent where it cannot be") {
  BatchMock mock(echo);
  const Desk desk(mock);
  const auto refused = [&](std::vector<std::string> words) {
    const Outcome outcome = desk.run(words);
    CHECK(outcome.exit_code == 2);
    CHECK(mock.seen().empty());
    return outcome.err;
  };
  CHECK_THAT(refused({"run", "./echo.json", "--model", "reference", "--batch"}), Contains("no batch API"));
  std::vector<std::string> cut = desk.command();
  cut.insert(cut.end(), {"--truncate", "left"});
  CHECK_THAT(refused(cut), Contains("--truncate"));
}

}  // namespace micius
