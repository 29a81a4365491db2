// What statistics give and reports show.
#pragma once

#include <cstddef>
#include <optional>

namespace micius {

// A number with its 95 % interval and the n it rests on. stderr and interval are absent where n cannot give
// them.
struct Estimate {
  double value = 0;
  std::optional<double> low, high, stderr_;
  std::size_t n = 0;
  // Only where samples come in clusters of more than one: how many clusters, and how many independent samples
  // would give the same standard error.
  std::optional<std::size_t> clusters;
  std::optional<double> n_effective;
};

}  // namespace micius
