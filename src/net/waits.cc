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

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  namespace chrono = std::chrono;
  // Takes `digits` digits and the character behind them.
  const auto take = [&](std::size_t digits, std::string_view ends) -> std::optional<int> {
    int value = 0;
    if (text.size() < digits) return std::nullopt;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (error != std::errc() || stop != text.data() + digits || value < 0) return std::nullopt;
    text.remove_prefix(digits);
    if (ends.empty()) return value;
    if (text.empty() || ends.find(text.front()) == std::string_view::npos) return std::nullopt;
    text.remove_prefix(1);
    return value;
  };
  text = strip(text);
  const auto year = take(4, "-"), month = take(2, "-"), day = take(2, "Tt "), hour = take(2, ":"),
             minute = take(2, ":"), second = take(2, "");
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const chrono::year_month_day date{chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  const auto time =
      chrono::sys_days(date) + chrono::hours(*hour) + chrono::minutes(*minute) + chrono::seconds(*second);
  if (lower_ascii(text) == "z") return time;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '+' ? 1 : -1;
  text.remove_prefix(1);
  const auto ahead_hours = take(2, ":"), ahead_minutes = take(2, "");
  if (!ahead_hours || !ahead_minutes || !text.empty()) return std::nullopt;
  return time - sign * (chrono::hours(*ahead_hours) + chrono::minutes(*ahead_minutes));
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
