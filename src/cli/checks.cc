#include "cli/checks.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {

ValueCheck whole_number(long least) {
  return [least](std::string& text) -> std::string {
    long number = 0;
    if (read_number(text, number) && number >= least) return "";
    return fmt::format("must be a whole number of at least {}, not '{}'", least, text);
  };
}

ValueCheck number_within(double low, double high) {
  return [=](std::string& text) -> std::string {
    double number = 0;
    if (read_number(text, number) && std::isfinite(number) && number >= low && number <= high) return "";
    return fmt::format("must be a number from {} to {}, not '{}'", low, high, text);
  };
}

ValueCheck size_in_bytes() {
  return [](std::string& text) -> std::string {
    constexpr std::string_view kUnits = "kmgt";
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit = lower_ascii(strip(std::string_view(end, text.data() + text.size())));
    if (unit.ends_with("ib")) unit.erase(unit.size() - 2);
    if (unit.ends_with("b")) unit.erase(unit.size() - 1);
    const std::size_t power = unit.empty() ? 0 : kUnits.find(unit) + 1;
    const double bytes = number * std::pow(1024, static_cast<double>(power));
    if (error == std::errc() && unit.size() <= 1 && (unit.empty() || power > 0) && bytes >= 1 &&
        bytes < 0x1p63) {
      text = fmt::format("{}", static_cast<std::uint64_t>(bytes));
      return "";
    }
    return fmt::format("must be a size such as 512MB or 2GB, not '{}'", text);
  };
}

}  // namespace micius
