// What the attention kernels of a GPU have in common: the choice of a kernel by dims, and the terms of the
// softmax.
#pragma once

#include <cstddef>
#include <iterator>
#include <type_traits>

#include "engine/device/lanes.h"
#include "engine/ops/decode_attention.h"

namespace micius {

inline constexpr float kMinusInfinity = -__builtin_huge_valf();
inline constexpr float kLog2E = 1.44269504F, kLn2 = 0.693147181F;

// Scores may exceed the reference by 2^14 and start at 2^6: f16 holds their exponentials, and small ones'.
inline constexpr float kReferenceGap = 6, kReferenceSlack = 14;

MICIUS_KERNEL float larger(float x, float y) { return x > y ? x : y; }

template <int kTiles>
using Tiles = std::integral_constant<std::uint32_t, kTiles>;

// Calls f with the numbers of tiles as types; they are one of kDecodeTiles.
template <std::size_t kIndex = 0, typename F>
void with_decode_tiles(const DecodeLayout& layout, const F& f) {
  constexpr std::uint32_t kK = kDecodeTiles[kIndex][0], kV = kDecodeTiles[kIndex][1];
  if (layout.k_tiles == kK && layout.v_tiles == kV) {
    f(Tiles<kK>{}, Tiles<kV>{});
  } else if constexpr (kIndex + 1 < std::size(kDecodeTiles)) {
    with_decode_tiles<kIndex + 1>(layout, f);
  }
}

}  // namespace micius
