// Typed fields of a request's body, with refusals that name the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serve/refusal.h"

namespace micius {

// Null is as if the field were not there. Borrows the object.
class BodyFields {
 public:
  // `prefix` goes before the name of a field in refusals: "messages[2]."
  BodyFields(const Json& object, std::string prefix);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  const Json& at(std::string_view key) const;  // throws Refusal if it is missing
  std::string string(std::string_view key) const;
  std::optional<std::string> string_if(std::string_view key) const;
  std::optional<std::int64_t> integer_if(std::string_view key, std::int64_t low, std::int64_t high) const;
  std::optional<double> number_if(std::string_view key, double low, double high) const;
  bool boolean_or(std::string_view key, bool fallback) const;

  std::string name(std::string_view key) const { return prefix_ + std::string(key); }
  // Throws Refusal for this field: "'temperature' must be a number, not a string".
  [[noreturn]] void mistyped(std::string_view key, std::string_view wanted) const;

 private:
  const Json* find(std::string_view key) const;

  const Json* object_;
  std::string prefix_;
};

// One JSON object. Throws Refusal for anything else.
Json read_body(std::string_view body);

}  // namespace micius
