#include "core/cost.h"

namespace micius {

std::optional<Price> price_of(const RunSpec& spec) {
  const Json* kept = find_json(spec.environment, "price");
  return kept != nullptr ? price_from_json(*kept) : std::nullopt;
}

std::optional<std::int64_t> worth_pico(const Price& price, const Record& record) {
  std::int64_t sum = 0;
  for (const Turn& turn : record.turns) {
    const Completion& c = turn.completion;
    // A refused prompt has no tokens and no cost.
    if (!c.failure && c.prompt_tokens == 0 && c.stop_reason != StopReason::kContentFilter)
      return std::nullopt;
    sum += cost_pico(price, {c.prompt_tokens, c.cached_tokens, c.completion_tokens});
  }
  return sum;
}

std::optional<double> worth_usd(const std::optional<Price>& price, const Record& record) {
  const auto pico = price ? worth_pico(*price, record) : std::nullopt;
  return pico ? std::optional(static_cast<double>(*pico) / 1e12) : std::nullopt;
}

}  // namespace micius
