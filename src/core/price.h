// What tokens cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace micius {

// In micro-dollars a million tokens, that is, picodollars a token; each from 0 to kMostMicros, a thousand
// dollars, so that a record's cost fits into 64 bits.
inline constexpr std::int64_t kMostMicros = 1'000'000'000;
struct Price {
  std::string from;  // the day since when: "2024-10-01"
  std::int64_t input = 0, cached_input = 0, output = 0;
  std::int64_t cache_write = 0;  // of prompt tokens that the provider keeps for later requests
};

struct BilledTokens {
  std::int64_t prompt = 0, cached = 0, completion = 0;
  std::int64_t cache_write = 0;  // this and `cached` are part of the prompt's
};

std::int64_t cost_pico(const Price& price, const BilledTokens& tokens);  // in picodollars
double cost_usd(const Price& price, const BilledTokens& tokens);

// As it is kept in a run's environment. Absent for what is no price.
Json to_json(const Price& price);
std::optional<Price> price_from_json(const Json& json);

}  // namespace micius
