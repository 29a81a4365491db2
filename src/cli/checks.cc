#include "cli/checks.h"

#include <cmath>
#include <string>

#include <fmt/format.h>

namespace micius {
CLI::Validator whole_number(long least) {
  const auto check = [least](std::string& text) -> std::string {
    long number = 0;
    if (read_number(text, number) && number >= least) return "";
    return fmt::format("must be a whole number of at least {}, not '{}'", least, text);
  };
  return CLI::Validator(check, "N");
}

CLI::Validator number_within(double low, double high) {
  const auto check = [=](std::string& text) -> std::string {
    double number = 0;
    if (read_number(text, number) && std::isfinite(number) && number >= low && number <= high) return "";
    return fmt::format("must be a number from {} to {}, not '{}'", low, high, text);
  };
  return CLI::Validator(check, "X");
}

}  // namespace micius
