#include "engine/ops/rope.h"

#include <cassert>
#include <cmath>

namespace micius {

RopeTable::RopeTable(std::size_t dim, double base, std::size_t positions)
    : dim_(dim), positions_(positions), table_(dim * positions) {
  assert(dim % 2 == 0);
  for (std::size_t j = 0; j < dim / 2; ++j) {
    const double frequency = std::pow(base, -2.0 * static_cast<double>(j) / static_cast<double>(dim));
    for (std::size_t position = 0; position < positions; ++position) {
      const double angle = static_cast<double>(position) * frequency;
      table_[position * dim + j] = static_cast<float>(std::cos(angle));
      table_[position * dim + dim / 2 + j] = static_cast<float>(std::sin(angle));
    }
  }
}

}  // namespace micius
