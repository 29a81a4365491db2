#include "engine/ops/rope.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace micius {

RopeTable::RopeTable(std::size_t dim, double base, std::span<const double> factors) : frequencies_(dim / 2) {
  assert(dim > 0 && dim % 2 == 0 && (factors.empty() || factors.size() == dim / 2));
  for (std::size_t j = 0; j < dim / 2; ++j) {
    frequencies_[j] = std::pow(base, -2.0 * static_cast<double>(j) / static_cast<double>(dim));
    if (!factors.empty()) frequencies_[j] /= factors[j];
  }
}

void RopeTable::cover(std::size_t wanted) {
  const std::size_t before = positions(), half = frequencies_.size();
  if (wanted <= before) return;
  const std::size_t after = std::max(wanted, 2 * before);  // a generation asks for one more at a time
  table_.resize(after * dim());
  for (std::size_t position = before; position < after; ++position) {
    float* row = &table_[position * dim()];
    for (std::size_t j = 0; j < half; ++j) {
      const double angle = static_cast<double>(position) * frequencies_[j];
      row[j] = static_cast<float>(std::cos(angle));
      row[half + j] = static_cast<float>(std::sin(angle));
    }
  }
}

}  // namespace micius
