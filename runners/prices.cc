#include "runners/prices.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/text.h"

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
  if (!is_decimal || error != std::errc() || end != digits.data() + digits.size() || micros > kMostMicros)
    fail(ErrorCode::kInvalidData, "{}: '{}' is no amount; expected dollars as text, \"2.50\"", where, text);
  return micros;
}

// Is it a host of the provider, whose prices a list without addresses gives?
bool is_own_address(std::string_view provider, std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return false;
  const std::string_view rest = url.substr(kScheme.size());
  const std::string host = "." + lower_ascii(rest.substr(0, rest.find_first_of(":/")));
  if (provider == "openai") return host.ends_with(".api.openai.com");
  if (provider == "anthropic") return host.ends_with(".api.anthropic.com");
  return provider == "azure" && host.ends_with(".azure.com");
}

bool is_below(std::string_view url, std::string_view address) {
  return url.starts_with(address) && (url.size() == address.size() || url[address.size()] == '/');
}

std::string address_of(const JsonFields& fields, const std::string& where) {
  std::string url = fields.string_or("url", "");
  if (!url.empty() && !url.starts_with("https://") && !url.starts_with("http://")) {
    fail(ErrorCode::kInvalidData, "{}.url: '{}' is no address of a server; expected https://host/v1", where,
         url);
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

void check_day(const std::string& day, const std::string& where) {
  constexpr std::string_view kForm = "0000-00-00";
  bool is_day = day.size() == kForm.size();
  for (std::size_t i = 0; is_day && i < kForm.size(); ++i)
    is_day = kForm[i] == '-' ? day[i] == '-' : day[i] >= '0' && day[i] <= '9';
  const std::string_view month = std::string_view(day).substr(is_day ? 5 : 0, 2),
                         date = std::string_view(day).substr(is_day ? 8 : 0, 2);
  if (!is_day || month < "01" || month > "12" || date < "01" || date > "31")
    fail(ErrorCode::kInvalidData, "{}: '{}' is no day; expected one such as 2026-11-26", where, day);
}

}  // namespace

Prices::Row Prices::row_of(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  fields.only({"provider", "url", "model", "match", "from", "currency", "unit", "input", "cached_input",
               "cache_write", "output", "batch_factor", "source"});
  if (fields.string_or("currency", "USD") != "USD" ||
      fields.string_or("unit", "per_million_tokens") != "per_million_tokens")
    fail(ErrorCode::kInvalidData, "{}: prices are in USD per_million_tokens", where);
  const std::string match = fields.string_or("match", "exact");
  if (match != "exact" && match != "prefix")
    fail(ErrorCode::kInvalidData, "{}: match '{}' is neither 'exact' nor 'prefix'", where, match);
  const auto micros = [&](const char* key) { return micros_of(fields.string(key), where + "." + key); };
  Row row{fields.string("provider"), address_of(fields, where), fields.string("model"), match == "prefix"};
  row.price.from = fields.string("from");
  check_day(row.price.from, where + ".from");
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
  const Json *version = find_json(json, "micius_prices"), *rows = find_json(json, "prices");
  if (version == nullptr || *version != 1 || rows == nullptr || !rows->is_array())
    fail(ErrorCode::kInvalidData, "{}: expected {{\"micius_prices\": 1, \"prices\": [..]}}", where);
  Prices prices;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const std::string place = fmt::format("{}: prices[{}]", where, i);
    if (!(*rows)[i].is_object()) fail(ErrorCode::kInvalidData, "{}: expected an object", place);
    prices.rows_.push_back(row_of((*rows)[i], place));
  }
  return prices;
}

Prices Prices::at(std::string_view provider, std::string_view url) const {
  Prices prices;
  for (const Row& row : rows_) {
    const bool holds = row.url.empty() ? is_own_address(provider, url) : is_below(url, row.url);
    if (row.provider == provider && holds) prices.rows_.push_back(row);
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
