#include "core/group_keys.h"

#include <optional>
#include <utility>

namespace micius {
namespace {

std::optional<std::string> key_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return dump_json(value);
  return std::nullopt;
}

}  // namespace

std::set<std::string> group_keys(const Sample& sample, const std::string& field) {
  std::set<std::string> keys;
  const auto it = sample.extra.find(field);
  if (it == sample.extra.end()) return keys;
  if (it->is_array()) {
    for (const Json& item : *it)
      if (auto key = key_text(item)) keys.insert(std::move(*key));
  } else if (auto key = key_text(*it)) {
    keys.insert(std::move(*key));
  }
  return keys;
}

}  // namespace micius
