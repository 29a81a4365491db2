// What a linear of a GPU is given, and what it does with its sums.
//
// With kSummaries no logit is written: 16 outputs of a row leave their largest, its id and the sum of
// exponentials, and the logits that were asked for.
#pragma once

#include <cfloat>
#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"
#include "engine/ops/blocked_rows.h"
#include "engine/ops/elementwise_gpu.h"
#include "engine/ops/linear_gpu.h"

namespace micius {

// Of some logits: sum is that of e^(logit - max).
struct alignas(16) LogitPartial {
  float max, sum;
  std::int32_t argmax;  // the lowest id with the largest logit
  std::uint32_t unused;
};

enum class LinearResult : std::uint32_t { kStore, kAdd, kSummaries };

struct LinearArgs {
  TiledWeights weights;
  BlockedRows x;
  const float* bias = nullptr;  // [outputs]; null: none
  LinearResult result = LinearResult::kStore;
  float* y = nullptr;  // [x.rows, outputs]; kAdd: += (a residual stream)
  // kSummaries:
  LogitPartial* partials = nullptr;           // [row_tiles][x.rows]
  const std::uint32_t* pick_first = nullptr;  // [x.rows + 1]: a row's picks in the list of them; null: none
  const std::int32_t* pick_ids = nullptr;     // outputs
  float* picked = nullptr;                    // their logits
  bool operator==(const LinearArgs&) const = default;
};

template <typename D>
MICIUS_KERNEL void merge_logits(D& d, LogitPartial& into, const LogitPartial& other) {
  const float max = into.max > other.max ? into.max : other.max;
  into.sum = into.sum * d.exp2(kLog2e * (into.max - max)) + other.sum * d.exp2(kLog2e * (other.max - max));
  const bool theirs = other.max > into.max || (other.max == into.max && other.argmax < into.argmax);
  if (theirs) into.argmax = other.argmax;
  into.max = max;
}

// Merges what the lanes have whose numbers differ in bits that are not below `first_mask`, for all of them.
template <typename D>
MICIUS_KERNEL void merge_lanes(D& d, LogitPartial& mine, unsigned first_mask) {
  for (unsigned mask = first_mask; mask < 32; mask *= 2) {
    const LogitPartial other{d.shuffle_xor(mine.max, mask), d.shuffle_xor(mine.sum, mask),
                             d.shuffle_xor(mine.argmax, mask), 0};
    merge_logits(d, mine, other);
  }
}

// The end of a linear: what a warp does with the sums of 16 outputs and 8 rows of x. A lane has outputs lane
// / 4 and 8 behind, each of rows 2 (lane % 4) and the next.
template <typename D>
class LinearEnd {
 public:
  MICIUS_KERNEL LinearEnd(D& d, const LinearArgs& args, unsigned row_tile)
      : d_(d), args_(args), tile_(row_tile), output_(16 * row_tile + d.lane() / 4) {}

  MICIUS_KERNEL void finish(unsigned first_row, const float (&sums)[4]) const {
    for (unsigned j = 0; j < 2; ++j) {
      const unsigned row = first_row + 2 * (d_.lane() % 4) + j;
      const float v[2] = {value(0, sums[j]), value(8, sums[2 + j])};
      if (args_.result == LinearResult::kSummaries) {
        summarise(row, v);
      } else if (row < args_.x.rows) {
        put(row, 0, v[0]);
        put(row, 8, v[1]);
      }
    }
  }

 private:
  MICIUS_KERNEL bool is_output(unsigned behind) const { return output_ + behind < args_.weights.outputs; }
  MICIUS_KERNEL float value(unsigned behind, float sum) const {
    return args_.bias != nullptr && is_output(behind) ? sum + d_.load(args_.bias + output_ + behind) : sum;
  }
  MICIUS_KERNEL void put(unsigned row, unsigned behind, float value) const {
    if (!is_output(behind)) return;
    float* const to = args_.y + std::size_t{row} * args_.weights.outputs + output_ + behind;
    d_.store(to, args_.result == LinearResult::kAdd ? d_.load_fresh(to) + value : value);
  }
  MICIUS_KERNEL void summarise(unsigned row, const float (&v)[2]) const {
    LogitPartial mine{-FLT_MAX, 0, 0, 0};
    for (unsigned i = 0; i < 2; ++i) {
      if (!is_output(8 * i)) continue;
      const LogitPartial one{v[i], 1, static_cast<std::int32_t>(output_ + 8 * i), 0};
      if (mine.sum == 0) {
        mine = one;
      } else {
        merge_logits(d_, mine, one);
      }
    }
    merge_lanes(d_, mine, 4);
    if (row >= args_.x.rows) return;
    if (d_.lane() < 4) d_.store(args_.partials + std::size_t{tile_} * args_.x.rows + row, mine);
    if (args_.pick_first == nullptr) return;
    const std::uint32_t end = d_.load(args_.pick_first + row + 1);
    for (std::uint32_t pick = d_.load(args_.pick_first + row); pick < end; ++pick) {
      const auto wanted = static_cast<unsigned>(d_.load(args_.pick_ids + pick));
      if (wanted == output_) d_.store(args_.picked + pick, v[0]);
      if (wanted == output_ + 8) d_.store(args_.picked + pick, v[1]);
    }
  }

  D& d_;
  const LinearArgs& args_;
  unsigned tile_, output_;
};

}  // namespace micius
