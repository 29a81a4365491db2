#include "base/format.h"

#include <fmt/format.h>

namespace micius {

std::string format_percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

std::string format_count(std::uint64_t count) {
  if (count < 1000) return fmt::format("{}", count);
  const auto value = static_cast<double>(count);
  if (count < 999'950) return fmt::format("{:.1f}k", value / 1e3);
  if (count < 999'950'000) return fmt::format("{:.1f}M", value / 1e6);
  return fmt::format("{:.1f}G", value / 1e9);
}

std::string format_duration(std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", 1e3 * seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::chrono::round<std::chrono::seconds>(time).count();
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string format_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 1e3) return fmt::format("{} B", bytes);
  if (value < 999.95e3) return fmt::format("{:.1f} kB", value / 1e3);
  if (value < 999.95e6) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.1f} GB", value / 1e9);
}

std::string format_rate(double a_second) {
  return a_second < 999.5 ? fmt::format("{:.3g}", a_second) : fmt::format("{:.0f}", a_second);
}

std::string format_value(double value, const std::string& unit) {
  return unit == "fraction" ? format_percent(value) : fmt::format("{:.4g}", value);
}

std::string format_difference(double value, const std::string& unit) {
  if (unit == "fraction") return fmt::format("{:+.1f} points", 100 * value);
  return fmt::format("{:+.4g}{}{}", value, unit.empty() ? "" : " ", unit);
}

std::string format_p(double p) {
  if (p < 0.0001) return "< 0.0001";
  return p < 0.001 ? fmt::format("= {:.4f}", p) : fmt::format("= {:.3f}", p);
}

}  // namespace micius
