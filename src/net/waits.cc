#include "net/waits.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <curl/curl.h>

#include "base/text.h"

namespace micius {
namespace {

constexpr double kLongestSeconds = 10 * 366.0 * 86400;

bool makes_sense(double seconds) { return seconds >= 0 && seconds <= kLongestSeconds; }

// Takes a decimal off the front: digits with at most one point, at least one digit, no exponent.
std::optional<double> take_decimal(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string number(text.substr(0, end));
  if (number.find_first_of("0123456789") == std::string::npos) return std::nullopt;
  double value = 0;
  const auto [stop, error] =
      std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
  if (error != std::errc() || stop != number.data() + number.size()) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

// The longest units first: "ms" begins as "m" does.
std::optional<double> take_unit(std::string_view& text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1e-3}, {"us", 1e-6}, {"\xc2\xb5s", 1e-6}, {"\xce\xbcs", 1e-6},
      {"ns", 1e-9}, {"h", 3600},  {"m", 60},           {"s", 1}};
  for (const auto& [unit, seconds] : kUnits) {
    if (!text.starts_with(unit)) continue;
    text.remove_prefix(unit.size());
    return seconds;
  }
  return std::nullopt;
}

std::optional<Seconds> plain_seconds(std::string_view text) {
  text = strip(text);
  const std::optional<double> value = take_decimal(text);
  if (!value || !text.empty() || !makes_sense(*value)) return std::nullopt;
  return Seconds(*value);
}

}  // namespace

std::optional<Seconds> parse_reset(std::string_view text) {
  if (const auto seconds = plain_seconds(text)) return seconds;
  double sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::optional<double> number = take_decimal(text);
    const std::optional<double> unit = number ? take_unit(text) : std::nullopt;
    if (!unit) return std::nullopt;
    sum += *number * *unit;
  }
  if (!makes_sense(sum)) return std::nullopt;
  return Seconds(sum);
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) {
  const std::time_t seconds = curl_getdate(std::string(strip(text)).c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(seconds);
}

std::optional<Seconds> retry_after(const HttpHead& head, std::chrono::system_clock::time_point now) {
  if (const auto ms = head.header("retry-after-ms")) {
    if (const auto wait = plain_seconds(*ms)) return Seconds(wait->count() / 1e3);
  }
  const auto text = head.header("retry-after");
  if (!text) return std::nullopt;
  if (const auto wait = plain_seconds(*text)) return wait;
  const auto until = parse_http_date(*text);
  if (!until) return std::nullopt;
  const auto date = head.header("date");
  const Seconds wait = *until - (date ? parse_http_date(*date).value_or(now) : now);
  if (!makes_sense(wait.count())) return std::nullopt;
  return wait;
}

Seconds jittered_wait(Rng& rng, int retry, Seconds first, Seconds longest) {
  return rng.uniform() * std::min(longest, first * std::ldexp(1.0, std::min(retry, 60)));
}

}  // namespace micius
