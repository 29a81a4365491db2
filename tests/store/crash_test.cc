// A store whose process dies, or whose machine does.
#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/rng.h"
#include "processes.h"
#include "store/example_records.h"
#include "store/sqlite_internal.h"
#include "store/sqlite_store.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

const SystemClock kClock;

// Every record that is there is whole, and none is missing before the last. Returns how many there are.
std::size_t checked_prefix(const fs::path& path, RunId run) {
  const SqliteStore store(path, OpenMode::kExisting, kClock);
  std::size_t n = 0;
  store.for_each(run, [&](const Record& record) {
    REQUIRE(all_of(record) == all_of(random_record(n, 0, "crash")));
    ++n;
  });
  return n;
}

void append_range(Store& store, RunId run, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) store.append(run, random_record(i, 0, "crash"));
}

}  // namespace

TEST_CASE("after SIGKILL at any moment every record is whole or absent") {
  constexpr std::size_t kRecords = 4000;
  const TempDir dir;
  const fs::path path = dir.path() / "a.db";
  RunId run{};
  {
    SqliteStore store(path, OpenMode::kCreate, kClock);
    run = store.begin(example_spec(kRecords), 1);
  }
  Rng rng("kill a writer");
  std::size_t there = 0;
  std::uint64_t longest_us = 25'000;
  for (int kills = 0; kills < 25; ++kills) {
    const pid_t child = in_child([&] {
      SqliteStore store(path, OpenMode::kExisting, kClock);
      append_range(store, run, there, kRecords);
      return 0;
    });
    kill_after(child, static_cast<useconds_t>(1000 + rng.below(longest_us)));
    const std::size_t now = checked_prefix(path, run);
    CHECK(now >= there);
    if (now == 0) longest_us = std::min<std::uint64_t>(2 * longest_us, 2'000'000);  // a busy machine
    there = now;
  }
  CHECK(there > 0);
}

TEST_CASE("after a power cut the database opens with the first records, each whole") {
  constexpr std::size_t kRecords = 60;
  const TempDir dir;
  const fs::path path = dir.path() / "a.db", cut = dir.path() / "cut.db";
  const fs::path log = path.string() + "-wal", cut_log = cut.string() + "-wal";
  SqliteStore store(path, OpenMode::kCreate, kClock);
  const RunId run = store.begin(example_spec(kRecords), 1);
  SqliteDatabase other(path);
  other.execute("PRAGMA wal_checkpoint");  // what a run is made of is on the disk
  Rng rng("cut the power");
  std::size_t synced = 0;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append_range(store, run, i, i + 1);
    fs::copy_file(log, cut_log, fs::copy_options::overwrite_existing);
    if (rng.below(10) == 0) {
      // The log is on the disk before the first page of the file changes.
      other.execute("PRAGMA wal_checkpoint");
      synced = i + 1;
    } else {
      fs::resize_file(cut_log, rng.below(fs::file_size(cut_log) + 1));
    }
    fs::copy_file(path, cut, fs::copy_options::overwrite_existing);
    const std::size_t there = checked_prefix(cut, run);
    CHECK(there >= synced);
    CHECK(there <= i + 1);
  }
  CHECK(synced > 0);
}

}  // namespace micius
