#include "serve/fields.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace micius {
namespace {

std::string kind_of(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_number_integer()) return "a whole number";
  return std::string("a ") + value.type_name();
}

}  // namespace

BodyFields::BodyFields(const Json& object, std::string prefix)
    : object_(&object), prefix_(std::move(prefix)) {
  if (object.is_object()) return;
  const std::string whole = prefix_.empty() ? "body" : prefix_.substr(0, prefix_.size() - 1);
  throw bad_field(whole, fmt::format("'{}' must be an object, not {}", whole, kind_of(object)));
}

const Json* BodyFields::find(std::string_view key) const {
  const auto it = object_->find(std::string(key));
  return it == object_->end() || it->is_null() ? nullptr : &*it;
}

const Json& BodyFields::at(std::string_view key) const {
  if (const Json* value = find(key)) return *value;
  throw bad_field(name(key), fmt::format("'{}' is missing", name(key)));
}

void BodyFields::mistyped(std::string_view key, std::string_view wanted) const {
  throw bad_field(name(key), fmt::format("'{}' must be {}, not {}", name(key), wanted, kind_of(at(key))));
}

std::string BodyFields::string(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_string()) mistyped(key, "a string");
  return value.get<std::string>();
}

std::optional<std::string> BodyFields::string_if(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return string(key);
}

std::optional<std::int64_t> BodyFields::integer_if(std::string_view key, std::int64_t low,
                                                   std::int64_t high) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) mistyped(key, "a whole number");
  const bool huge = value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX;
  const std::int64_t number = huge ? INT64_MAX : value->get<std::int64_t>();
  if (number < low || number > high || huge)
    throw bad_field(name(key),
                    fmt::format("'{}' must be from {} to {}, not {}", name(key), low, high, value->dump()));
  return number;
}

std::optional<double> BodyFields::number_if(std::string_view key, double low, double high) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) mistyped(key, "a number");
  const double number = value->get<double>();
  if (number < low || number > high)
    throw bad_field(name(key),
                    fmt::format("'{}' must be from {} to {}, not {}", name(key), low, high, number));
  return number;
}

bool BodyFields::boolean_or(std::string_view key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) mistyped(key, "true or false");
  return value->get<bool>();
}

Json read_body(std::string_view body) {
  try {
    return parse_json(body, "body");
  } catch (const Error& error) {  // the client's fault, not this program's
    throw Refusal(400, "invalid_request_error", "invalid_json", "", error.what());
  }
}

}  // namespace micius
