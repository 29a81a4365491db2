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

}  // namespace

Prices::Row Prices::row_of(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  fields.only({"provider", "model", "match", "from", "currency", "unit", "input", "cached_input",
               "cache_write", "output", "batch_factor", "source"});
  if (fields.string_or("currency", "USD") != "USD" ||
      fields.string_or("unit", "per_million_tokens") != "per_million_tokens")
    fail(ErrorCode::kInvalidData, "{}: prices are in USD per_million_tokens", where);
  const std::string match = fields.string_or("match", "exact");
  if (match != "exact" && match != "prefix")
    fail(ErrorCode::kInvalidData, "{}: match '{}' is neither 'exact' nor 'prefix'", where, match);
  const auto micros = [&](const char* key) { return micros_of(fields.string(key), where + "." + key); };
  Row row{fields.string("provider"), fields.string("model"), match == "prefix"};
  row.price.from = fields.string("from");
  row.price.input = micros("input");
  row.price.cached_input = fields.has("cached_input") ? micros("cached_input") : row.price.input;
  row.price.cache_write = fields.has("cache_write") ? micros("cache_write") : row.price.input;
  row.price.output = micros("output");
  if (fields.has("batch_factor")) row.batch_millionths = micros("batch_factor");
  return row;
}

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
    prices.rows_.push_back(row_of((*rows)[i], place));
  }
  return prices;
}

std::optional<Price> Prices::find(std::string_view provider, std::string_view model, std::string_view day,
                                  Tariff tariff) const {
  const Row* best = nullptr;
  const auto rank = [](const Row& row) {
    return std::tuple(!row.is_prefix, row.model.size(), std::string_view(row.price.from));
  };
  for (const Row& row : rows_) {
    const bool fits = row.is_prefix ? model.starts_with(row.model) : model == row.model;
    if (row.provider != provider || !fits || row.price.from > day) continue;
    if (best == nullptr || rank(row) > rank(*best)) best = &row;
  }
  if (best == nullptr) return std::nullopt;
  Price price = best->price;
  if (tariff == Tariff::kAtOnce) return price;
  for (std::int64_t* micros : {&price.input, &price.cached_input, &price.cache_write, &price.output})
    *micros = *micros * best->batch_millionths / 1'000'000;
  return price;
}

}  // namespace micius
