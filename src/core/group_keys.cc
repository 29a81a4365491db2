#include "core/group_keys.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace micius {
namespace {

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;  // "nan" has no place among numbers
}

}  // namespace

std::set<std::string> group_keys(const Sample& sample, const std::string& field) {
  std::set<std::string> keys;
  const auto it = sample.extra.find(field);
  if (it == sample.extra.end()) return keys;
  if (it->is_array()) {
    for (const Json& item : *it)
      if (auto key = scalar_text(item)) keys.insert(std::move(*key));
  } else if (auto key = scalar_text(*it)) {
    keys.insert(std::move(*key));
  }
  return keys;
}

bool KeyOrder::operator()(const std::string& a, const std::string& b) const {
  const auto x = as_number(a), y = as_number(b);
  if (x && y && *x != *y) return *x < *y;
  if (x.has_value() != y.has_value()) return x.has_value();
  return a < b;
}

}  // namespace micius
