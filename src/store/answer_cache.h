// The response cache in an SQLite file of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer_cache.h"

namespace micius {

struct AnswerCacheLimits {
  std::uint64_t bytes = std::uint64_t{1} << 30;  // of the file; above it the oldest answers go
  std::chrono::hours age{24 * 30};               // older answers are not given and go
};

// Several processes may use one file. A transaction holds what there is to keep: after a kill the last
// answers may be missing, and none is there in part. What was kept is in the file once the object is
// destroyed. A file that cannot be written any more is said once, and what follows is not kept.
class SqliteAnswerCache final : public AnswerCache {
 public:
  // Makes the file, and its folder, where it is not there. `clock` and `log` must outlive this. Throws Error
  // for a file that cannot be made, is damaged, of another program or of a newer one.
  SqliteAnswerCache(const std::filesystem::path& path, const AnswerCacheLimits& limits, const Clock& clock,
                    Log& log);
  ~SqliteAnswerCache() override;

  std::optional<std::string> find(const std::string& key) override;
  void keep(const std::string& key, const std::string& model, const std::string& answer) override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

struct CachedModel {
  std::string model;
  std::uint64_t answers = 0, bytes = 0;  // of their texts
};

struct AnswerCacheStats {
  std::uint64_t answers = 0, file_bytes = 0;
  std::string oldest, newest;       // RFC 3339; "" where there are none
  std::vector<CachedModel> models;  // by name
};

// Nothing at all where the file is not there. Both throw as the constructor does.
AnswerCacheStats answer_cache_stats(const std::filesystem::path& path);
// Forgets every answer and gives the room back; returns how many there were. Processes that use the file go
// on.
std::uint64_t clear_answer_cache(const std::filesystem::path& path);

}  // namespace micius
