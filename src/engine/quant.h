// Weight formats of GGUF files: block sizes and exact dequantisation.
// Layouts and formulas are those of ggml's quantisation code: block_q4_0 to block_q6_K and dequantize_row_*.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/tensor.h"

namespace micius {

struct BlockShape {
  std::size_t values, bytes;
};
BlockShape block_shape(DType dtype);  // F32: {1, 4}; Q4_1: {32, 20}; Q6_K: {256, 210}

// Bytes of a row of `cols` values. Throws Error{kInvalidData} if cols is not a whole number of blocks.
std::size_t row_bytes(DType dtype, std::size_t cols);

// Writes out.size() values, a whole number of blocks, in ggml's arithmetic: products and sums rounded one by
// one.
void dequantize(DType dtype, const std::byte* bytes, std::span<float> out);

float f16_to_f32(std::uint16_t half);
std::uint16_t f32_to_f16(float value);  // to nearest even; too large becomes infinity
float bf16_to_f32(std::uint16_t bits);

}  // namespace micius
