#include "runners/prices.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace micius {
namespace {

// "2.50" dollars as micro-dollars. Decimals are text, so that none is rounded on the way.
std::int64_t micros_of(const std::string& text, const std::string& where) {
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point);
  std::string fraction = point < text.size() ? text.substr(point + 1) : "";
  std::int64_t micros = 0;
  const bool is_decimal = !digits.empty() && fraction.size() <= 6 &&
                          (digits + fraction).find_first_not_of("0123456789") == std::string::npos;
  fraction.resize(6, '0');
  digits += fraction;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), micros);
  if (!is_decimal || error != std::errc() || end != digits.data() + digits.size())
    fail(ErrorCode::kInvalidData, "{}: '{}' is no amount; expected dollars as text, \"2.50\"", where, text);
  return micros;
}

Price price_of(const Json& row, const std::string& where) {
  const JsonFields fields(row, where);
  fields.only({"provider", "model", "match", "from", "currency", "unit", "input", "cached_input",
               "cache_write", "output", "batch_factor", "source"});
  if (fields.string_or("currency", "USD") != "USD" ||
      fields.string_or("unit", "per_million_tokens") != "per_million_tokens")
    fail(ErrorCode::kInvalidData, "{}: prices are in USD per_million_tokens", where);
  const std::string match = fields.string_or("match", "exact");
  if (match != "exact" && match != "prefix")
    fail(ErrorCode::kInvalidData, "{}: match '{}' is neither 'exact' nor 'prefix'", where, match);
  Price price;
  price.provider = fields.string("provider");
  price.model = fields.string("model");
  price.from = fields.string("from");
  price.is_prefix = match == "prefix";
  price.input = micros_of(fields.string("input"), where + ".input");
  price.cached_input = fields.has("cached_input")
                           ? micros_of(fields.string("cached_input"), where + ".cached_input")
                           : price.input;
  price.output = micros_of(fields.string("output"), where + ".output");
  return price;
}

}  // namespace

Prices Prices::read(const std::filesystem::path& file) {
  const std::string where = file.string();
  const Json json = parse_json(read_file(file), where);
  const Json* rows = find_json(json, "prices");
  if (!json.is_object() || json.value("micius_prices", 0) != 1 || rows == nullptr || !rows->is_array())
    fail(ErrorCode::kInvalidData, "{}: expected {{\"micius_prices\": 1, \"prices\": [..]}}", where);
  Prices prices;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const std::string place = fmt::format("{}: prices[{}]", where, i);
    if (!(*rows)[i].is_object()) fail(ErrorCode::kInvalidData, "{}: expected an object", place);
    prices.rows_.push_back(price_of((*rows)[i], place));
  }
  return prices;
}

std::optional<Price> Prices::find(std::string_view provider, std::string_view model,
                                  std::string_view day) const {
  const Price* best = nullptr;
  const auto rank = [](const Price& price) {
    return std::tuple(!price.is_prefix, price.model.size(), std::string_view(price.from));
  };
  for (const Price& price : rows_) {
    const bool fits = price.is_prefix ? model.starts_with(price.model) : model == price.model;
    if (price.provider != provider || !fits || price.from > day) continue;
    if (best == nullptr || rank(price) > rank(*best)) best = &price;
  }
  return best != nullptr ? std::optional(*best) : std::nullopt;
}

double cost_usd(const Price& price, const BilledTokens& tokens) {
  const std::int64_t cached = std::min(tokens.cached, tokens.prompt);
  const std::int64_t pico =
      (tokens.prompt - cached) * price.input + cached * price.cached_input + tokens.completion * price.output;
  return static_cast<double>(pico) / 1e12;
}

}  // namespace micius
