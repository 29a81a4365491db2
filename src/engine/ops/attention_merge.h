// Sums of attention results that were calculated apart, over disjoint positions: each with the log-sum-exp of
// its scores (Milakov and Gimelshein, 2018).
#pragma once

#include <cstdint>

namespace micius {

// Of a block; a row a block.
inline constexpr std::uint32_t kMergeThreads = 256;

// All memory is the device's, but in the emulation; nothing is owned.
struct AttentionMergeArgs {
  std::uint32_t n_q = 0, d_v = 0;
  const std::uint32_t* first = nullptr;  // [rows + 1]: where the parts of a row begin in the list of them
  const std::uint32_t* parts =
      nullptr;                      // rows of what follows. One part of a row at least has seen something
  const float* part_out = nullptr;  // [part rows, n_q, d_v]
  const float* part_lse = nullptr;  // [part rows, n_q]; -infinity: nothing was seen
  float* out = nullptr;             // [rows, n_q, d_v]
  float* lse = nullptr;             // [rows, n_q]; null: not wanted
  bool operator==(const AttentionMergeArgs&) const = default;
};

}  // namespace micius
