// Weight formats of GGUF files: block sizes and exact dequantisation.
// Layouts and formulas are those of ggml's quantisation code: block_q4_0 to block_q6_K and dequantize_row_*.
#pragma once

#include <array>
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

// 32 neighbouring values of a quantised row: value j is d[j / 16] * (codes[j] - zero_code(dtype)) + m.
struct CodeBlock {
  static constexpr std::size_t kValues = 32;
  std::array<std::uint8_t, kValues> codes{};
  std::array<float, 2> d{};
  float m = 0;  // 0 where zero_code() is not
  // Of Q6_K alone: d[i] is unit * steps[i], without rounding; unit is a half.
  float unit = 0;
  std::array<std::int8_t, 2> steps{};
};
bool is_quantized(DType dtype);
int zero_code(DType dtype);  // 0, or a power of two up to 128
// Block `index` of the row that starts at `row`. dtype must be quantised.
CodeBlock read_codes(DType dtype, const std::byte* row, std::size_t index);
void widen(const CodeBlock& block, int zero, std::span<float> out);  // its values, as dequantize() has them

float f16_to_f32(std::uint16_t half);
std::uint16_t f32_to_f16(float value);  // to nearest even; too large becomes infinity
float bf16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);  // to nearest even; NaN stays one

}  // namespace micius
