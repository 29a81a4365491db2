#include "core/group_keys.h"

#include <utility>

namespace micius {

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

}  // namespace micius
