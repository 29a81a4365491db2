#include "core/cost.h"

namespace micius {
namespace {

enum class Cached { kFree, kCounted };

std::optional<std::int64_t> cost_of(const Price& price, const Record& record, Cached cached) {
  std::int64_t sum = 0;
  for (const Turn& turn : record.turns) {
    const Completion& c = turn.completion;
    if (c.from_cache && cached == Cached::kFree) continue;
    // A prompt that was refused, or is too long, has no tokens and no cost.
    const bool is_refused = c.stop_reason == StopReason::kContentFilter ||
                            (!c.attempts.empty() && !c.attempts.back().code.empty());
    if (!c.failure && c.prompt_tokens == 0 && !is_refused) return std::nullopt;
    sum += cost_pico(price, {c.prompt_tokens, c.cached_tokens, c.completion_tokens, c.cache_write_tokens});
  }
  return sum;
}

std::optional<double> in_usd(std::optional<std::int64_t> pico) {
  return pico ? std::optional(static_cast<double>(*pico) / 1e12) : std::nullopt;
}

}  // namespace

std::optional<Price> price_of(const RunSpec& spec) {
  const Json* kept = find_json(spec.environment, "price");
  return kept != nullptr ? price_from_json(*kept) : std::nullopt;
}

std::optional<std::int64_t> paid_pico(const Price& price, const Record& record) {
  return cost_of(price, record, Cached::kFree);
}

std::optional<std::int64_t> worth_pico(const Price& price, const Record& record) {
  return cost_of(price, record, Cached::kCounted);
}

std::optional<double> paid_usd(const std::optional<Price>& price, const Record& record) {
  return price ? in_usd(paid_pico(*price, record)) : std::nullopt;
}

std::optional<double> worth_usd(const std::optional<Price>& price, const Record& record) {
  return price ? in_usd(worth_pico(*price, record)) : std::nullopt;
}

}  // namespace micius
