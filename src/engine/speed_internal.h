// What the speed benches share.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/rng.h"

namespace micius {

inline std::vector<float> random_values(std::size_t n, Rng& rng) {  // in [-1, 1)
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(2 * rng.uniform() - 1);
  return values;
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace micius
