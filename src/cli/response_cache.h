// The flags of the response cache, and the cache that they name.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer_cache.h"
#include "runners/cached_runner.h"

namespace micius {

class Flags;

struct CacheFlags {
  std::string cache;  // "on", "off"; "": CacheUse::kGreedy
  std::uint64_t bytes = std::uint64_t{1} << 30;
  long days = 30;
};

void add_cache_flags(Flags& flags, CacheFlags& values);

// The cache of the user, opened when it is first needed; then its file is made. One that was asked for and
// cannot be used is an Error; without being asked for it is a warning, and nothing is cached.
class ResponseCache final : public AnswerCache {
 public:
  // Both must outlive it.
  ResponseCache(const Clock& clock, Log& log) : clock_(clock), log_(log) {}

  // Null where it is off. To be called before the first runner is made; opens a cache that was asked for.
  AnswerCache* use(const CacheFlags& flags);
  CacheUse cache_use() const { return flags_.cache == "on" ? CacheUse::kAll : CacheUse::kGreedy; }

  std::optional<std::string> find(const std::string& key) override;
  void keep(const std::string& key, const std::string& model, const std::string& answer) override;

 private:
  AnswerCache* open();
  void make();

  const Clock& clock_;
  Log& log_;
  CacheFlags flags_;
  std::mutex mutex_;  // of the two below
  bool tried_ = false;
  std::unique_ptr<AnswerCache> cache_;
  std::atomic<bool> is_broken_ = false;  // nothing is taken from it any more
};

}  // namespace micius
