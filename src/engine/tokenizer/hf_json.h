// Reading of `tokenizer.json`, whose objects have a key for each token: values with the way to them for
// messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace micius {

using HfJson = nlohmann::json;  // finds a key in time by the logarithm of an object's size

// Throws Error{kInvalidData} naming `where` for text that is no JSON, or is nested deeper than 64.
HfJson parse_hf_json(std::string_view text, std::string_view where);

// Borrows the value. Whatever is missing or of another kind is Error{kInvalidData} with file and field.
class HfValue {
 public:
  HfValue(const HfJson& value, std::string where) : value_(&value), where_(std::move(where)) {}

  const HfJson& json() const { return *value_; }
  const std::string& where() const { return where_; }

  std::optional<HfValue> find(std::string_view key) const;  // absent: not there, or null
  HfValue at(std::string_view key) const;
  std::size_t size() const;  // of a list
  HfValue at(std::size_t index) const;

  std::string text() const;
  double number() const;
  std::int32_t id() const;  // 0 to 2^24
  std::string text_or(std::string_view key, std::string_view fallback) const;
  bool flag_or(std::string_view key, bool fallback) const;

  [[noreturn]] void wrong(std::string_view expected) const;         // Error{kInvalidData}
  [[noreturn]] void not_covered(std::string_view what = {}) const;  // Error{kUnsupported}
  // Throws as not_covered does if `key` is there, not null and something else.
  void only(std::string_view key, const HfJson& covered) const;

 private:
  const HfJson* value_;
  std::string where_;
};

}  // namespace micius
