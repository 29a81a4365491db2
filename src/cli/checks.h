// Checks of numbers that a user gives.
#pragma once

#include <charconv>
#include <functional>
#include <string>

#include <system_error>

namespace micius {

// Is all of `text` a number, and which? `number` is undefined where it is none.
template <typename Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// What is wrong with the text of a value, or "". It may put another text in its place.
using ValueCheck = std::function<std::string(std::string& text)>;

// A whole number of at least `least`: "must be a whole number of at least 1, not 'x'".
ValueCheck whole_number(long least);
// A finite number from `low` to `high`.
ValueCheck number_within(double low, double high);
// A size in bytes, "512MB" or "1.5 GB" (a kB is 1024); the text becomes the number.
ValueCheck size_in_bytes();

}  // namespace micius
