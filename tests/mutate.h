// Files that are nearly right.
#pragma once

#include <string>

#include "base/rng.h"

namespace micius {

// `good` with up to three places changed: a byte replaced, some left out, some doubled, or the rest cut off.
inline std::string mutate(std::string good, Rng& rng) {
  static const std::string bytes = std::string("\"{}[],:\\\n\r \xff\xc3u0") + '\0';
  for (std::size_t n = 1 + rng.below(3); n > 0 && !good.empty(); --n) {
    const std::size_t at = rng.below(good.size());
    switch (rng.below(8)) {
      case 0:
        good.resize(at);
        break;
      case 1:
      case 2:
        good.erase(at, 1 + rng.below(8));
        break;
      case 3:
      case 4:
        good.insert(at, good.substr(at, 1 + rng.below(20)));
        break;
      default:
        good[at] = bytes[rng.below(bytes.size())];
    }
  }
  return good;
}

}  // namespace micius
