// Rotary position embedding (Su et al., 2021), half-split: element j of a head turns with element j + dim
// / 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/op_context.h"

namespace micius {

// How far a head turns at a position: its elements j and j + dim / 2 by position * base^(-2j / dim) /
// factors[j].
class RopeAngles {
 public:
  // dim is even; factors: [dim / 2], above 0, or empty for ones.
  RopeAngles(std::size_t dim, double base, std::span<const double> factors = {});
  std::size_t dim() const { return 2 * frequencies_.size(); }
  // The cosines [dim / 2] and sines [dim / 2] of one position, worked out in fp64.
  void turn(std::size_t position, std::span<float> cosines_sines) const;

 private:
  std::vector<double> frequencies_;  // [dim / 2]
};

// The turns of the positions that were needed so far: what a model file says of its context costs nothing.
class RopeTable {
 public:
  RopeTable(std::size_t dim, double base, std::span<const double> factors = {});
  void cover(std::size_t positions);  // at least [0, positions); not while others read
  std::size_t positions() const { return table_.size() / angles_.dim(); }
  std::span<const float> turns() const { return table_; }  // [positions][cos dim / 2, sin dim / 2]

 private:
  RopeAngles angles_;
  std::vector<float> table_;
};

// The turns of rows at these positions: [rows][cos dim / 2, sin dim / 2].
void rope_turns(const RopeAngles& angles, std::span<const std::int32_t> positions, std::span<float> turns,
                const OpContext& context);

// Turns the first `heads` heads of each row in place. x points at the first head of the first row; rows are
// `stride` floats apart; `turns` is of each row's position, as rope_turns gives it.
void apply_rope(float* x, std::size_t stride, std::size_t heads, std::size_t dim,
                std::span<const float> turns, const OpContext& context);

}  // namespace micius
