// Which values a q head takes.
#pragma once

#include <cstddef>

namespace micius {

// Selective V (arXiv 2501.13629, section 2): a q head takes the values of the `top` positions with the
// highest scores alone.
enum class SelectedWeights {
  kRenormalised,  // over the kept positions
  kRaw,           // as they were over all
};
struct ValueSelection {
  std::size_t top = 0;  // 0: all
  SelectedWeights weights = SelectedWeights::kRenormalised;
  bool operator==(const ValueSelection&) const = default;
};

}  // namespace micius
