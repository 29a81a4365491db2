#include "cli/checks.h"

#include <charconv>
#include <cmath>
#include <string>

#include <fmt/format.h>

namespace micius {
namespace {

// Is all of `text` a number, and which?
template <typename Number>
bool read(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

CLI::Validator whole_number(long least) {
  const auto check = [least](std::string& text) -> std::string {
    long number = 0;
    if (read(text, number) && number >= least) return "";
    return fmt::format("must be a whole number of at least {}, not '{}'", least, text);
  };
  return CLI::Validator(check, "N");
}

CLI::Validator number_within(double low, double high) {
  const auto check = [=](std::string& text) -> std::string {
    double number = 0;
    if (read(text, number) && std::isfinite(number) && number >= low && number <= high) return "";
    return fmt::format("must be a number from {} to {}, not '{}'", low, high, text);
  };
  return CLI::Validator(check, "X");
}

}  // namespace micius
