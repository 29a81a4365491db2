#include "engine/ops/rope.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace micius {

RopeAngles::RopeAngles(std::size_t dim, double base, std::span<const double> factors)
    : frequencies_(dim / 2) {
  assert(dim > 0 && dim % 2 == 0 && (factors.empty() || factors.size() == dim / 2));
  for (std::size_t j = 0; j < dim / 2; ++j) {
    frequencies_[j] = std::pow(base, -2.0 * static_cast<double>(j) / static_cast<double>(dim));
    if (!factors.empty()) frequencies_[j] /= factors[j];
  }
}

void RopeAngles::turn(std::size_t position, std::span<float> cosines_sines) const {
  const std::size_t half = frequencies_.size();
  assert(cosines_sines.size() == 2 * half);
  for (std::size_t j = 0; j < half; ++j) {
    const double angle = static_cast<double>(position) * frequencies_[j];
    cosines_sines[j] = static_cast<float>(std::cos(angle));
    cosines_sines[half + j] = static_cast<float>(std::sin(angle));
  }
}

RopeTable::RopeTable(std::size_t dim, double base, std::span<const double> factors)
    : angles_(dim, base, factors) {}

void RopeTable::cover(std::size_t wanted) {
  const std::size_t before = positions(), dim = angles_.dim();
  if (wanted <= before) return;
  const std::size_t after = std::max(wanted, 2 * before);  // a generation asks for one more at a time
  table_.resize(after * dim);
  for (std::size_t position = before; position < after; ++position) {
    angles_.turn(position, std::span(table_).subspan(position * dim, dim));
  }
}

}  // namespace micius
