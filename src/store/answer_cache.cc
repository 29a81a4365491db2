#include "store/answer_cache.h"

#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

namespace micius {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::int64_t kApplicationId = 0x4d696343;  // "MicC"
constexpr std::int64_t kVersion = 1;
constexpr const char* kAdvice = "delete it, or go without it: --cache off";

// The answer last, so that a look at the other columns reads no text. Ids grow with time.
constexpr const char* kSchema = R"sql(
CREATE TABLE answers (
  answer_id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  model TEXT NOT NULL,
  kept_at INTEGER NOT NULL,
  answer TEXT NOT NULL
) STRICT;
)sql";

std::int64_t seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count();
}

// Whether the tables are there.
bool is_made(SqliteDatabase& database) {
  const std::int64_t version = database.version_of(kApplicationId, "set MICIUS_CACHE_DIR to another folder");
  if (version > kVersion) {
    fail(ErrorCode::kUnsupported,
         "{}: made by a newer micius; use that program, or set MICIUS_CACHE_DIR to another folder",
         database.name());
  }
  return version == kVersion;
}

void make_tables(SqliteDatabase& database) {
  database.transact([&] {
    if (is_made(database)) return;  // by another process meanwhile
    database.execute(kSchema);
    database.execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.execute(fmt::format("PRAGMA user_version = {}", kVersion));
  });
}

class CacheDatabase : public SqliteDatabase {
 public:
  explicit CacheDatabase(const fs::path& path) : SqliteDatabase(path, kAdvice) {
    insist([this] {
      if (!is_made(*this)) execute("PRAGMA auto_vacuum = INCREMENTAL");
      execute("PRAGMA journal_mode = WAL");
      if (!is_made(*this)) make_tables(*this);
      execute("PRAGMA synchronous = NORMAL");
    });
  }
};

const fs::path& with_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) {
    fail(ErrorCode::kIo, "{}: {}; set MICIUS_CACHE_DIR to a folder that can be written, or --cache off",
         path.parent_path().string(), error.message());
  }
  return path;
}

struct Kept {
  std::string key, model, answer;
};

// What keeps the file within its limits.
class Pruner {
 public:
  Pruner(SqliteDatabase& database, std::uint64_t most_bytes) : database_(database), most_bytes_(most_bytes) {}

  void drop_older_than(std::int64_t time) {
    database_.transact([&] {  // what another process keeps meanwhile must not go
      Statement first(database_,
                      "SELECT answer_id FROM answers WHERE kept_at >= ? ORDER BY answer_id LIMIT 1");
      const bool some_stay = first.bind(time).step();
      const std::int64_t id = some_stay ? first.integer(0) : std::numeric_limits<std::int64_t>::max();
      first.reset();
      Statement(database_, "DELETE FROM answers WHERE answer_id < ?").run(id);
    });
    database_.execute("PRAGMA incremental_vacuum");
  }

  // Drops a tenth of the ids, the oldest, until there is room.
  void drop_above_size() {
    bool has_dropped = false;
    while (used_bytes() > most_bytes_) {
      Statement range(database_, "SELECT min(answer_id), max(answer_id) FROM answers");
      if (!range.step() || range.is_null(0)) break;
      const std::int64_t first = range.integer(0), last = range.integer(1);
      range.reset();
      Statement(database_, "DELETE FROM answers WHERE answer_id <= ?").run(first + (last - first) / 10);
      has_dropped = true;
    }
    if (has_dropped) database_.execute("PRAGMA incremental_vacuum");
  }

 private:
  std::uint64_t used_bytes() {
    const std::int64_t pages = database_.pragma("page_count") - database_.pragma("freelist_count");
    return static_cast<std::uint64_t>(pages * database_.pragma("page_size"));
  }

  SqliteDatabase& database_;
  const std::uint64_t most_bytes_;
};

}  // namespace

class SqliteAnswerCache::State {
 public:
  State(const fs::path& path, const AnswerCacheLimits& limits, const Clock& clock, Log& log)
      : clock_(clock),
        log_(log),
        limits_(limits),
        reading_(with_folder(path)),
        find_(reading_, "SELECT answer FROM answers WHERE key = ? AND kept_at >= ?"),
        writing_(path),
        writer_([this] { write(); }) {}
  ~State() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      changed_.notify_one();
    }
    writer_.join();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::optional<std::string> find(const std::string& key) {
    const std::lock_guard lock(find_mutex_);
    std::optional<std::string> answer;
    if (find_.bind(key, oldest()).step()) answer = find_.text(0);
    find_.reset();
    return answer;
  }

  void keep(Kept kept) {
    const std::lock_guard lock(mutex_);
    if (is_broken_) return;
    waiting_.push_back(std::move(kept));
    changed_.notify_one();
  }

 private:
  std::int64_t oldest() const { return seconds_of(clock_.utc() - limits_.age); }

  // Of the writer's thread. All that has come meanwhile goes into one transaction.
  void write() {
    try {
      Pruner pruner(writing_, limits_.bytes);
      pruner.drop_older_than(oldest());
      Statement add(writing_,
                    "INSERT OR REPLACE INTO answers (key, model, kept_at, answer) VALUES (?, ?, ?, ?)");
      for (std::vector<Kept> batch = next(); !batch.empty(); batch = next()) {
        const std::int64_t now = seconds_of(clock_.utc());
        writing_.transact([&] {
          for (const Kept& kept : batch) add.run(kept.key, kept.model, now, kept.answer);
        });
        pruner.drop_above_size();
      }
    } catch (const Error& error) {
      log_.warning(fmt::format("answers are not kept any more: {}", error.what()));
      const std::lock_guard lock(mutex_);
      is_broken_ = true;
      waiting_.clear();
    }
  }

  // Waits for something to keep; nothing once the cache closes and all is kept.
  std::vector<Kept> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    return std::exchange(waiting_, {});
  }

  const Clock& clock_;
  Log& log_;
  const AnswerCacheLimits limits_;
  std::mutex find_mutex_;  // of the two below
  CacheDatabase reading_;
  Statement find_;
  std::mutex mutex_;  // of the four below
  std::condition_variable changed_;
  std::vector<Kept> waiting_;
  bool closing_ = false, is_broken_ = false;
  CacheDatabase writing_;  // of the writer's thread, once it runs
  std::thread writer_;     // the last
};

SqliteAnswerCache::SqliteAnswerCache(const fs::path& path, const AnswerCacheLimits& limits,
                                     const Clock& clock, Log& log)
    : state_(std::make_unique<State>(path, limits, clock, log)) {}

SqliteAnswerCache::~SqliteAnswerCache() = default;

std::optional<std::string> SqliteAnswerCache::find(const std::string& key) { return state_->find(key); }

void SqliteAnswerCache::keep(const std::string& key, const std::string& model, const std::string& answer) {
  state_->keep({key, model, answer});
}

AnswerCacheStats answer_cache_stats(const fs::path& path) {
  AnswerCacheStats stats;
  if (!fs::exists(path)) return stats;
  CacheDatabase database(path);
  for (const char* ending : {"", "-wal"}) {
    std::error_code none;
    const auto bytes = fs::file_size(path.string() + ending, none);
    if (!none) stats.file_bytes += bytes;
  }
  Statement row(database,
                "SELECT model, count(*), sum(length(CAST(answer AS BLOB))) FROM answers GROUP BY model");
  while (row.step()) {
    stats.models.push_back({row.text(0), static_cast<std::uint64_t>(row.integer(1)),
                            static_cast<std::uint64_t>(row.integer(2))});
    stats.answers += stats.models.back().answers;
  }
  if (stats.answers == 0) return stats;
  Statement times(database, "SELECT min(kept_at), max(kept_at) FROM answers");
  times.step();
  const auto text = [&](int column) {
    return format_utc(std::chrono::system_clock::time_point(seconds(times.integer(column))));
  };
  stats.oldest = text(0);
  stats.newest = text(1);
  return stats;
}

std::uint64_t clear_answer_cache(const fs::path& path) {
  if (!fs::exists(path)) return 0;
  CacheDatabase database(path);
  Statement count(database, "SELECT count(*) FROM answers");
  count.step();
  const auto answers = static_cast<std::uint64_t>(count.integer(0));
  count.reset();
  database.execute("DELETE FROM answers; PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
  return answers;
}

}  // namespace micius
