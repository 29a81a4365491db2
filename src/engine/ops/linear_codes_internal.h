// What the kernels of code formats share; a lanes header comes first.
#pragma once

#include "engine/ops/linear_internal.h"

namespace micius {
namespace {

template <typename T>
const T* at(const std::byte* bytes, std::size_t offset) {
  return reinterpret_cast<const T*>(bytes + offset);
}

// 2^e, the least power of two with largest / 2^e <= 16256; never below 2^-100. `largest` of a block's |x|.
inline float block_scale(float largest) {
  float scale = largest / 16256.0F;
  scale = scale > 0x1p-100F ? scale : 0x1p-100F;
  std::uint32_t bits;
  __builtin_memcpy(&bits, &scale, 4);
  bits = (bits + 0x7fffff) & 0x7f800000;
  __builtin_memcpy(&scale, &bits, 4);
  return scale;
}

// largest / 127; never below 2^-100.
inline float fast_scale(float largest) {
  const float scale = largest / 127.0F;
  return scale > 0x1p-100F ? scale : 0x1p-100F;
}

// What stands behind a block's codes for one of its rows; `low` and `high` are sums of q.
inline void store_scale(const ActivationBlock& place, std::size_t row, float scale, std::int32_t low,
                        std::int32_t high, std::byte* block) {
  const float scaled = scale * static_cast<float>(low + high);
  const std::int32_t negative[2] = {-low, -high};
  __builtin_memcpy(block + place.scale() + 4 * row, &scale, 4);
  __builtin_memcpy(block + place.scaled_sum() + 4 * row, &scaled, 4);
  __builtin_memcpy(block + place.negative_sums() + 4 * row, &negative[0], 4);
  __builtin_memcpy(block + place.negative_sums() + 4 * (place.rows + row), &negative[1], 4);
}

// The first (index 0) or second scale of a block's 16 rows, widened.
inline Lanes load_scale(WeightFormat format, const std::byte* block, std::size_t index) {
  const std::byte* scales = block + code_bytes(format);
  if (format == WeightFormat::kSixHalves)
    return Lanes::load(at<std::uint16_t>(scales, 0)) * Lanes::load(at<std::int8_t>(scales, 32 + 16 * index));
  return has_half_scales(format) ? Lanes::load(at<std::uint16_t>(scales, 32 * index))
                                 : Lanes::load(at<float>(scales, 64 * index));
}

}  // namespace
}  // namespace micius
