// Looking into a score.
#pragma once

#include <optional>
#include <string_view>

#include "core/score.h"

namespace micius {

// The value of that name, which is a metric's or what a metric is made of; absent where the scorer gave none.
inline std::optional<double> value_of(const Score& score, std::string_view name) {
  for (const Value& value : score.values)
    if (value.metric == name) return value.value;
  return std::nullopt;
}

}  // namespace micius
