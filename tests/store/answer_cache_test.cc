#include "store/answer_cache.h"

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "processes.h"
#include "store/sqlite_internal.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

class SetClock final : public Clock {
 public:
  time_point now() const override { return {}; }
  std::chrono::system_clock::time_point utc() const override { return time; }
  std::chrono::system_clock::time_point time{std::chrono::hours(24 * 20'000)};
};

class ListLog final : public Log {
 public:
  void warning(std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

// An answer that says which it is, and can be told from half of itself.
std::string key_of(std::size_t n) { return sha256_hex(fmt::format("question {}", n)); }
std::string answer_to(std::size_t n) { return fmt::format("{}:{}", n, sha256_hex(fmt::format("{}", n))); }

void keep_all(const fs::path& path, std::size_t from, std::size_t to) {
  const SystemClock clock;
  ListLog log;
  SqliteAnswerCache cache(path, {}, clock, log);
  for (std::size_t n = from; n < to; ++n) cache.keep(key_of(n), "m", answer_to(n));
}

// Of those up to `most`; each is the one that was kept.
std::size_t count_there(const fs::path& path, std::size_t most) {
  const SystemClock clock;
  ListLog log;
  SqliteAnswerCache cache(path, {}, clock, log);
  std::size_t count = 0;
  for (std::size_t n = 0; n < most; ++n) {
    const auto answer = cache.find(key_of(n));
    if (!answer) continue;
    REQUIRE(*answer == answer_to(n));
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("answers are there for the next process, and the last one under a key counts") {
  const TempDir dir;
  const fs::path path = dir.path() / "new folder/answers.db";
  SetClock clock;
  ListLog log;
  {
    SqliteAnswerCache cache(path, {}, clock, log);
    CHECK_FALSE(cache.find(key_of(1)));
    cache.keep(key_of(1), "a", "first");
    cache.keep(key_of(2), "b", std::string("\0 and more", 10));
    cache.keep(key_of(1), "a", "second");
  }
  SqliteAnswerCache cache(path, {}, clock, log);
  CHECK(cache.find(key_of(1)) == "second");
  CHECK(cache.find(key_of(2)) == std::string("\0 and more", 10));
  CHECK_FALSE(cache.find(key_of(3)));
  CHECK(log.lines.empty());
}

TEST_CASE("what is too old is not given, and goes when the cache is opened again") {
  const TempDir dir;
  const fs::path path = dir.path() / "answers.db";
  SetClock clock;
  ListLog log;
  AnswerCacheLimits limits;
  limits.age = std::chrono::hours(48);
  { SqliteAnswerCache(path, limits, clock, log).keep(key_of(1), "m", "old"); }
  clock.time += std::chrono::hours(24);
  {
    SqliteAnswerCache cache(path, limits, clock, log);
    CHECK(cache.find(key_of(1)) == "old");
    cache.keep(key_of(2), "m", "young");
  }
  clock.time += std::chrono::hours(25);
  {
    SqliteAnswerCache cache(path, limits, clock, log);
    CHECK_FALSE(cache.find(key_of(1)));
    CHECK(cache.find(key_of(2)) == "young");
  }
  CHECK(answer_cache_stats(path).answers == 1);
  clock.time += std::chrono::hours(100);
  { const SqliteAnswerCache all_gone(path, limits, clock, log); }
  CHECK(answer_cache_stats(path).answers == 0);
}

TEST_CASE("above its size the oldest answers go, and the file is no larger") {
  const TempDir dir;
  const fs::path path = dir.path() / "answers.db";
  const SystemClock clock;
  ListLog log;
  AnswerCacheLimits limits;
  limits.bytes = 1 << 20;
  constexpr std::size_t kAnswers = 400;
  Rng rng("sizes");
  for (std::size_t n = 0; n < kAnswers; n += 20) {  // a transaction each time
    SqliteAnswerCache cache(path, limits, clock, log);
    for (std::size_t i = n; i < n + 20; ++i)
      cache.keep(key_of(i), "m", std::string(5'000 + rng.below(10'000), 'x'));
  }
  CHECK(fs::file_size(path) <= limits.bytes);
  const std::uint64_t left = answer_cache_stats(path).answers;
  CHECK(left > 50);
  CHECK(left < 150);
  SqliteAnswerCache cache(path, limits, clock, log);
  CHECK(cache.find(key_of(kAnswers - 1)));
  CHECK(cache.find(key_of(kAnswers - 50)));
  CHECK_FALSE(cache.find(key_of(0)));
}

TEST_CASE("after SIGKILL at any moment the answers that are there are whole") {
  constexpr std::size_t kAnswers = 20'000;
  const TempDir dir;
  const fs::path path = dir.path() / "answers.db";
  Rng rng("kill a cache");
  std::size_t there = 0;
  for (int kills = 0; kills < 10; ++kills) {
    const pid_t child = in_child([&] {
      keep_all(path, there, kAnswers);
      return 0;
    });
    kill_after(child, static_cast<useconds_t>(rng.below(60'000)));
    const std::size_t now = count_there(path, kAnswers);
    CHECK(now >= there);
    there = std::min(now, kAnswers - 1);
  }
  CHECK(there > 0);
}

TEST_CASE("several processes keep and find answers in one file") {
  constexpr std::size_t kEach = 500;
  const TempDir dir;
  const fs::path path = dir.path() / "answers.db";
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < 4; ++i) {
    children.push_back(in_child([&, i] {
      keep_all(path, i * kEach, (i + 1) * kEach);
      return count_there(path, kEach * 4) >= kEach ? 0 : 1;
    }));
  }
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  CHECK(count_there(path, kEach * 4) == kEach * 4);
}

TEST_CASE("many threads use one cache") {
  const TempDir dir;
  const SystemClock clock;
  ListLog log;
  SqliteAnswerCache cache(dir.path() / "answers.db", {}, clock, log);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (std::size_t n = 0; n < 200; ++n) {
        cache.keep(key_of(n), "m", answer_to(n));
        static_cast<void>(cache.find(key_of((n + t) % 200)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(log.lines.empty());
}

TEST_CASE("the statistics, and nothing is left after clear while another process has the file open") {
  const TempDir dir;
  const fs::path path = dir.path() / "answers.db";
  CHECK(answer_cache_stats(path).answers == 0);
  CHECK(clear_answer_cache(path) == 0);
  CHECK_FALSE(fs::exists(path));
  SetClock clock;
  ListLog log;
  {
    SqliteAnswerCache cache(path, {}, clock, log);
    cache.keep(key_of(1), "b", "xx");
    cache.keep(key_of(2), "a", "\xC3\xA9");
  }
  clock.time += std::chrono::hours(1);
  SqliteAnswerCache cache(path, {}, clock, log);
  const AnswerCacheStats stats = answer_cache_stats(path);
  CHECK(stats.answers == 2);
  CHECK(stats.file_bytes > 0);
  CHECK(stats.oldest == stats.newest);
  CHECK(stats.oldest == "2024-10-04T00:00:00Z");
  REQUIRE(stats.models.size() == 2);
  CHECK(stats.models[0].model == "a");
  CHECK(stats.models[0].bytes == 2);
  CHECK(clear_answer_cache(path) == 2);
  CHECK_FALSE(cache.find(key_of(1)));
  cache.keep(key_of(3), "a", "new");
}

TEST_CASE("a file that is no cache is refused with what to do") {
  const TempDir dir;
  const fs::path path = dir.path() / "answers.db";
  const SystemClock clock;
  ListLog log;
  const auto open = [&] { SqliteAnswerCache(path, {}, clock, log); };
  std::ofstream(path) << std::string(5000, 'x');
  CHECK_THROWS_WITH(open(), Contains(path.string()) && Contains("delete it") && Contains("--cache off"));
  fs::remove(path);
  SqliteDatabase(path).execute("CREATE TABLE theirs (x)");
  CHECK_THROWS_WITH(open(), Contains("another program") && Contains("MICIUS_CACHE_DIR"));
  fs::remove(path);
  { SqliteAnswerCache made(path, {}, clock, log); }
  SqliteDatabase(path).execute("PRAGMA user_version = 2");
  CHECK_THROWS_WITH(open(), Contains("newer micius"));
  CHECK_THROWS_WITH(SqliteAnswerCache("/proc/none/answers.db", {}, clock, log), Contains("/proc/none"));
}

}  // namespace micius
