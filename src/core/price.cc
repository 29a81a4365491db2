#include "core/price.h"

#include <algorithm>
#include <utility>

namespace micius {
namespace {

bool is_amount(const Json& json) { return json.is_number_integer() && json >= 0 && json <= kMostMicros; }

}  // namespace

std::int64_t cost_pico(const Price& price, const BilledTokens& tokens) {
  const std::int64_t cached = std::min(tokens.cached, tokens.prompt);
  const std::int64_t written = std::min(tokens.cache_write, tokens.prompt - cached);
  return (tokens.prompt - cached - written) * price.input + cached * price.cached_input +
         written * price.cache_write + tokens.completion * price.output;
}

double cost_usd(const Price& price, const BilledTokens& tokens) {
  return static_cast<double>(cost_pico(price, tokens)) / 1e12;
}

Json to_json(const Price& price) {
  return {{"from", price.from},
          {"input", price.input},
          {"cached_input", price.cached_input},
          {"cache_write", price.cache_write},
          {"output", price.output}};
}

std::optional<Price> price_from_json(const Json& json) {
  Price price;
  const Json* from = find_json(json, "from");
  if (from == nullptr || !from->is_string()) return std::nullopt;
  price.from = from->get<std::string>();
  for (const auto& [key, micros] : {std::pair<const char*, std::int64_t*>{"input", &price.input},
                                    {"cached_input", &price.cached_input},
                                    {"output", &price.output}}) {
    const Json* value = find_json(json, key);
    if (value == nullptr || !is_amount(*value)) return std::nullopt;
    *micros = value->get<std::int64_t>();
  }
  // Runs from before it was told apart paid the input's price.
  const Json* written = find_json(json, "cache_write");
  price.cache_write = written != nullptr && is_amount(*written) ? written->get<std::int64_t>() : price.input;
  return price;
}

}  // namespace micius
