// Rotary position embedding (Su et al., 2021), half-split: element j of a head turns with element j + dim
// / 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/op_context.h"

namespace micius {

// Cosines and sines of position * base^(-2j / dim) / factors[j], worked out in fp64, for the positions that
// were needed so far: what a model file says of its context costs nothing.
class RopeTable {
 public:
  // dim is even; factors: [dim / 2], above 0, or empty for ones.
  RopeTable(std::size_t dim, double base, std::span<const double> factors = {});
  void cover(std::size_t positions);  // at least [0, positions); not while others read
  std::size_t dim() const { return 2 * frequencies_.size(); }
  std::size_t positions() const { return table_.size() / dim(); }
  const float* cosines(std::size_t position) const { return &table_[position * dim()]; }  // [dim / 2]
  const float* sines(std::size_t position) const {
    return &table_[position * dim() + dim() / 2];
  }  // [dim / 2]

 private:
  std::vector<double> frequencies_;  // [dim / 2]
  std::vector<float> table_;         // [positions][cos dim / 2, sin dim / 2]
};

// Turns the first `heads` heads of each row in place. x points at the first head of the first row; rows are
// `stride` floats apart; row i stands at positions[i], below table.positions().
void apply_rope(float* x, std::size_t stride, std::size_t heads, std::span<const std::int32_t> positions,
                const RopeTable& table, const OpContext& context);

}  // namespace micius
