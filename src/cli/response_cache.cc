#include "cli/response_cache.h"

#include <fmt/format.h>

#include "base/error.h"
#include "cli/flags.h"
#include "cli/places.h"
#include "store/answer_cache.h"

namespace micius {

void add_cache_flags(Flags& flags, CacheFlags& values) {
  flags
      .add("--cache", values.cache,
           "Answers of remote models from earlier requests: on (sampled ones too, each repeat by "
           "itself) or off; without it greedy ones, and none of servers on this machine")
      .one_of({"on", "off"});
  flags.add("--cache-size", values.bytes, "Of the cache's file (suffixes: MB, GB); the oldest answers go")
      .byte_size()
      .type("BYTES")
      .show_default();
  flags.add("--cache-days", values.days, "Older answers of the cache are asked for again")
      .at_least(1)
      .type("N")
      .show_default();
}

AnswerCache* ResponseCache::use(const CacheFlags& flags) {
  flags_ = flags;
  if (flags.cache == "off") return nullptr;
  if (flags.cache == "on") open();
  return this;
}

// Null where there is none to be had.
AnswerCache* ResponseCache::open() {
  const std::lock_guard lock(mutex_);
  if (tried_) return cache_.get();
  tried_ = true;
  if (flags_.cache == "on") {
    make();
    return cache_.get();
  }
  try {
    make();
  } catch (const Error& error) {
    log_.warning(fmt::format("answers are not cached: {}", error.what()));
  }
  return cache_.get();
}

void ResponseCache::make() {
  const auto file = answer_cache_file();
  if (!file) fail(ErrorCode::kUsage, "--cache: no HOME is set; set MICIUS_CACHE_DIR to a folder");
  AnswerCacheLimits limits;
  limits.bytes = flags_.bytes;
  limits.age = std::chrono::hours(24) * flags_.days;
  cache_ = std::make_unique<SqliteAnswerCache>(*file, limits, clock_, log_);
}

std::optional<std::string> ResponseCache::find(const std::string& key) {
  AnswerCache* cache = open();
  if (cache == nullptr || is_broken_) return std::nullopt;
  try {
    return cache->find(key);
  } catch (const Error& error) {
    if (!is_broken_.exchange(true))
      log_.warning(fmt::format(
          "no answers are taken from the cache: {}; `micius cache clear` makes a new one", error.what()));
    return std::nullopt;
  }
}

void ResponseCache::keep(const std::string& key, const std::string& model, const std::string& answer) {
  if (AnswerCache* cache = open(); cache != nullptr) cache->keep(key, model, answer);
}

}  // namespace micius
