// "NAME=value", as shells, tools and environments write variables.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

namespace micius {

struct Variable {
  std::string_view name, value;  // parts of the text that was read
};

// Absent where there is no '=' or nothing before it.
inline std::optional<Variable> read_variable(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  return Variable{text.substr(0, equals), text.substr(equals + 1)};
}

// What a shell takes as the name of a variable: letters, digits and '_', no digit first.
inline bool is_variable_name(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto fits = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && !is_digit(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace micius
