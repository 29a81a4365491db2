// Several models in one command.
#include "cli/sweep.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "cli/progress.h"
#include "cli/remote_session.h"
#include "net/fault_server.h"
#include "temp_dir.h"

namespace micius {
namespace {

using Catch::Contains;
using namespace std::chrono_literals;

// What parts did, in order; some wait for what another has done.
class Diary {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(what);
    changed_.notify_all();
  }
  // False if it does not come.
  bool await(const std::string& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return place_of(what) < lines_.size(); });
  }
  bool is_before(const std::string& first, const std::string& second) {
    const std::lock_guard lock(mutex_);
    return place_of(first) < place_of(second) && place_of(second) < lines_.size();
  }
  bool has(const std::string& what) {
    const std::lock_guard lock(mutex_);
    return place_of(what) < lines_.size();
  }

 private:
  std::size_t place_of(const std::string& what) const {
    return static_cast<std::size_t>(std::find(lines_.begin(), lines_.end(), what) - lines_.begin());
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class FakePart final : public SweepPart {
 public:
  FakePart(Diary& diary, std::string name, std::string waits_for = "", std::string throws_in = "")
      : diary_(diary),
        name_(std::move(name)),
        waits_for_(std::move(waits_for)),
        throws_in_(std::move(throws_in)) {}
  bool is_remote() const override { return name_.starts_with("remote"); }
  void open() override { step("open"); }
  void prepare() override { step("prepare"); }
  void work() override {
    diary_.note(name_ + " works");
    if (!waits_for_.empty() && !diary_.await(waits_for_)) throw Error(ErrorCode::kIo, "alone");
    step("work");
  }
  void close() override { diary_.note(name_ + " closed"); }

 private:
  void step(const std::string& what) {
    if (what == throws_in_) throw Error(ErrorCode::kIo, name_ + " cannot " + what);
    diary_.note(name_ + " " + what);
  }

  Diary& diary_;
  const std::string name_, waits_for_, throws_in_;
};

std::vector<std::string> failures_of(const std::vector<std::unique_ptr<SweepPart>>& parts,
                                     const std::stop_token& stop = {}) {
  std::vector<std::string> failures;
  sweep(parts, stop, [&](SweepPart&, const std::exception& error) { failures.emplace_back(error.what()); });
  return failures;
}

// What a terminal shows of these bytes.
std::vector<std::string> screen_of(const std::string& bytes) {
  std::vector<std::string> rows = {""};
  std::size_t row = 0, column = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r') {
      column = 0;
    } else if (bytes[i] == '\n') {
      column = 0;
      if (++row == rows.size()) rows.emplace_back();
    } else if (bytes[i] == '\x1b') {
      const std::size_t end = bytes.find_first_of("AJ", i);
      if (bytes[end] == 'A') {
        row -= std::stoul(bytes.substr(i + 2, end - i - 2));
      } else {
        rows.resize(row + 1);
        rows[row].resize(column);
      }
      i = end;
    } else {
      rows[row].resize(std::max(rows[row].size(), column + 1), ' ');
      rows[row][column++] = bytes[i];
    }
  }
  return rows;
}

std::string shown(ProgressMode mode, const std::function<void(ProgressBoard&)>& use) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  {
    ProgressBoard board(mode, file.get());
    use(board);
  }
  std::string bytes(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  REQUIRE(std::fread(bytes.data(), 1, bytes.size(), file.get()) == bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("remote parts work at once, and beside those of this machine, which go one after the other") {
  Diary diary;
  std::vector<std::unique_ptr<SweepPart>> parts;
  parts.push_back(std::make_unique<FakePart>(diary, "local 1", "remote 2 works"));
  parts.push_back(std::make_unique<FakePart>(diary, "remote 1", "remote 2 works"));
  parts.push_back(std::make_unique<FakePart>(diary, "local 2"));
  parts.push_back(std::make_unique<FakePart>(diary, "remote 2", "local 2 work"));
  CHECK(failures_of(parts).empty());
  CHECK(diary.is_before("remote 1 prepare", "remote 2 prepare"));
  CHECK(diary.is_before("remote 2 prepare", "local 1 prepare"));
  CHECK(diary.is_before("local 1 closed", "local 2 open"));
}

TEST_CASE("a part that fails in any step does not stop the others") {
  for (const char* name : {"remote 1", "local 1"}) {
    for (const char* step : {"open", "prepare", "work"}) {
      Diary diary;
      std::vector<std::unique_ptr<SweepPart>> parts;
      parts.push_back(std::make_unique<FakePart>(diary, name, "", step));
      parts.push_back(std::make_unique<FakePart>(diary, "remote 2"));
      parts.push_back(std::make_unique<FakePart>(diary, "local 2"));
      CHECK(failures_of(parts) == std::vector<std::string>{std::string(name) + " cannot " + step});
      CHECK(diary.has(std::string(name) + " closed"));
      CHECK(diary.has("remote 2 work"));
      CHECK(diary.has("local 2 work"));
    }
  }
}

TEST_CASE("after a stop no part of this machine begins") {
  Diary diary;
  std::stop_source stop;
  stop.request_stop();
  std::vector<std::unique_ptr<SweepPart>> parts;
  parts.push_back(std::make_unique<FakePart>(diary, "local 1"));
  parts.push_back(std::make_unique<FakePart>(diary, "remote 1"));
  CHECK(failures_of(parts, stop.get_token()).empty());
  CHECK_FALSE(diary.has("local 1 open"));
}

TEST_CASE("the lines of runs under way are drawn in place, what is said stands above them") {
  const std::string bytes = shown(ProgressMode::kLive, [](ProgressBoard& board) {
    const int a = board.add(), b = board.add();
    board.show(a, "a 1/9");
    board.show(b, "b 1/9");
    board.show(a, "a 2/9");
    board.print("warning: something");
    board.show(b, "b 2/9, a longer line");
    board.end(a, "a 9/9");
    board.show(b, "b 3/9");
  });
  CHECK(screen_of(bytes) == std::vector<std::string>{"warning: something", "a 9/9", "b 3/9"});
}

TEST_CASE("more runs than a terminal has rows are counted") {
  const std::string bytes = shown(ProgressMode::kLive, [](ProgressBoard& board) {
    for (int i = 0; i < 40; ++i) board.show(board.add(), "run " + std::to_string(i));
  });
  const auto rows = screen_of(bytes);
  REQUIRE(rows.size() == 23);
  CHECK(rows[0] == "run 0");
  CHECK(rows[22] == ".. and 18 more");
}

TEST_CASE("what is said is broken between words") {
  std::string words = "warning:";
  for (int i = 0; i < 30; ++i) words += " word" + std::to_string(i);
  const auto rows = screen_of(shown(ProgressMode::kLive, [&](ProgressBoard& board) { board.print(words); }));
  REQUIRE(rows.size() == 3);  // the cursor is in the last
  CHECK_THAT(rows[0], Catch::StartsWith("warning: word0 word1"));
  CHECK_THAT(rows[1], Catch::StartsWith("  word") && Catch::EndsWith("word29"));
  CHECK(shown(ProgressMode::kPlain, [&](ProgressBoard& board) { board.print(words); }) == words + "\n");
}

TEST_CASE("the rows of a sweep line up, whatever the width, and the score is always there") {
  ProgressRow row{"infrawise", "openai:mock-fast", {"bench_accuracy"}, {}, 30s};
  row.progress.total = 150;
  row.progress.done = row.progress.new_records = 75;
  for (int i = 0; i < 75; ++i) row.progress.primary.add(i % 3 == 0 ? 1 : 0);
  CHECK(progress_line(row, 60) == "infrawise  ..:mock-fast    75/150   33.3 %  30.0 s left");
  CHECK(
      progress_line(row, 100) ==
      "infrawise      openai:mock-fast    75/150   33.3 %  30.0 s left     23.7 .. 44.6     bench_accuracy");
  ProgressRow other{"a_task_with_a_long_name", "reference", {"acc"}, {}, 1s};
  other.progress.total = 150;
  for (const std::size_t width : {30u, 46u, 60u, 80u, 100u, 120u, 160u}) {
    INFO(width);
    for (const ProgressRow& each : {row, other}) CHECK(code_points(progress_line(each, width)) < width);
    const auto column = [&](const ProgressRow& each) {
      const std::string line = progress_line(each, width);
      return code_points(line.substr(0, line.find("/150")));
    };
    if (width > 46) CHECK(column(row) == column(other));
  }
  CHECK_THAT(progress_line(row, 0), Contains("bench_accuracy") && Contains("2.5 samples/s"));
  row.progress.failed = 75;
  CHECK_THAT(progress_line(row, 80), Contains("75/150   33.3 %  75 failed  30.0 s"));
}

TEST_CASE("elsewhere progress is plain lines, or nothing but what is said") {
  const auto use = [](ProgressBoard& board) {
    const int a = board.add(), b = board.add();
    board.show(a, "a 1/9");
    board.print("said");
    board.show(b, "b 1/9");
    board.end(a, "a 9/9");
  };
  CHECK(shown(ProgressMode::kPlain, use) == "a 1/9\nsaid\nb 1/9\na 9/9\n");
  CHECK(shown(ProgressMode::kNone, use) == "said\n");
}

TEST_CASE("a run that ends when its next line is due ends with one line") {
  struct Hand final : Clock {
    time_point now() const override { return time; }
    std::chrono::system_clock::time_point utc() const override { return {}; }
    time_point time{};
  } clock;
  const std::string bytes = shown(ProgressMode::kPlain, [&](ProgressBoard& board) {
    ProgressDisplay display(board, "task", "model", MetricInfo{"accuracy", "fraction"}, clock);
    for (const std::size_t done : {0, 1, 2}) {
      Progress progress;
      progress.total = 2;
      progress.done = done;
      display.on_progress(progress);
      clock.time += 11s;
    }
  });
  CHECK_THAT(bytes, Contains(" 1/2 ") && Contains(" 2/2 "));
  CHECK(std::count(bytes.begin(), bytes.end(), '\n') == 2);
}

TEST_CASE("a sweep asks remote models at once, and one that fails does not stop the others") {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string> seen;
  FaultServer server([&](Exchange& exchange) {
    if (exchange.request.method != "POST") return exchange.answer(404, {}, "{}");
    const std::string model = parse_json(exchange.request.body, "body").at("model");
    if (model == "c") return exchange.answer(401, {}, "{}");
    std::unique_lock lock(mutex);
    seen.insert(model);
    changed.notify_all();
    // Neither is answered before the other one has asked.
    const bool both = changed.wait_for(lock, 20s, [&] { return seen.count("a") + seen.count("b") == 2; });
    lock.unlock();
    exchange.answer(200, {}, chat(both ? "ls" : "alone"));
  });
  const TempDir folder;
  std::ofstream(folder.path() / "broken.gguf") << "GGUF, but no more";
  const std::string at = "@" + server.url("/v1");
  const Outcome outcome =
      run_micius(folder.path(), {"no_proxy=127.0.0.1", "MICIUS_DB=micius.db"},
                 {"run", "infrawise", "--model", "openai:a" + at, "--model", "./broken.gguf", "--model",
                  "openai:b" + at, "--model", "openai:c" + at, "--model", "reference", "--limit", "2",
                  "--concurrency", "1", "--progress", "plain"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("broken.gguf") && Contains("auth: "));
  CHECK_THAT(outcome.out, Contains("openai:a") && Contains("openai:b") && Contains("reference"));
  const Outcome report =
      run_micius(folder.path(), {"MICIUS_DB=micius.db"}, {"report", "latest", "--format", "json"});
  std::vector<std::string> models;
  const Json all = parse_json(report.out, "report");
  for (const Json& row : all.at("reports")) {
    models.push_back(row.at("run").at("model").at("name"));
    const bool is_good = models.back() != "openai:c";
    CHECK(row.at("run").at("status") == (is_good ? "complete" : "stopped"));
    CHECK(row.at("counts").at("scored") == (is_good ? 2 : 0));
  }
  CHECK(models == std::vector<std::string>{"openai:a", "openai:b", "openai:c", "reference"});
  const Outcome none = run_micius(folder.path(), {"MICIUS_DB=none.db"},
                                  {"run", "infrawise", "--model", "./broken.gguf,./broken.gguf"});
  CHECK(none.exit_code == 2);
}

}  // namespace micius
