#include "engine/quant.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::size_t kBlock = CodeBlock::kValues;

std::uint8_t byte_at(const std::byte* bytes, std::size_t i) {
  return std::to_integer<std::uint8_t>(bytes[i]);
}

template <typename T>
T read(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float half_at(const std::byte* bytes) { return f16_to_f32(read<std::uint16_t>(bytes)); }

// 32 codes of 4 bits: the low halves of 16 bytes, then the high halves.
void read_nibbles(const std::byte* bytes, CodeBlock& block) {
  for (std::size_t j = 0; j < 16; ++j) {
    block.codes[j] = byte_at(bytes, j) & 15;
    block.codes[j + 16] = byte_at(bytes, j) >> 4;
  }
}

void add_fifth_bits(std::uint32_t bits, CodeBlock& block) {
  for (std::size_t j = 0; j < kBlock; ++j) block.codes[j] |= static_cast<std::uint8_t>((bits >> j & 1) << 4);
}

// The 6-bit scale and minimum of sub-block j of 8 in Q4_K and Q5_K (get_scale_min_k4).
std::array<int, 2> scale_and_min(const std::byte* packed, std::size_t j) {
  if (j < 4) return {byte_at(packed, j) & 63, byte_at(packed, j + 4) & 63};
  return {(byte_at(packed, j + 4) & 15) | (byte_at(packed, j - 4) >> 6 << 4),
          byte_at(packed, j + 4) >> 4 | (byte_at(packed, j) >> 6 << 4)};
}

void read_scales_k(const std::byte* super, std::size_t sub, CodeBlock& block) {
  const auto [scale, minimum] = scale_and_min(super + 4, sub);
  block.d[0] = block.d[1] = half_at(super) * static_cast<float>(scale);
  block.m = -(half_at(super + 2) * static_cast<float>(minimum));
}

// Sub-block `sub` of 8; its 4-bit codes share bytes with those of its neighbour.
void read_nibbles_k(const std::byte* codes, std::size_t sub, CodeBlock& block) {
  for (std::size_t j = 0; j < kBlock; ++j) {
    const std::uint8_t both = byte_at(codes, sub / 2 * 32 + j);
    block.codes[j] = sub % 2 == 0 ? both & 15 : both >> 4;
  }
}

void read_q6_k(const std::byte* super, std::size_t sub, CodeBlock& block) {
  const std::byte *low = super + sub / 4 * 64 + sub % 2 * 32, *high = super + 128 + sub / 4 * 32;
  for (std::size_t j = 0; j < kBlock; ++j) {
    const int four = sub % 4 < 2 ? byte_at(low, j) & 15 : byte_at(low, j) >> 4;
    block.codes[j] = static_cast<std::uint8_t>(four | (byte_at(high, j) >> sub % 4 * 2 & 3) << 4);
  }
  block.unit = half_at(super + 208);
  for (std::size_t half = 0; half < 2; ++half) {
    block.steps[half] = read<std::int8_t>(super + 192 + sub * 2 + half);
    block.d[half] = block.unit * static_cast<float>(block.steps[half]);
  }
}

}  // namespace

BlockShape block_shape(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return {1, 4};
    case DType::kF16:
    case DType::kBF16:
      return {1, 2};
    case DType::kQ8_0:
      return {32, 34};
    case DType::kQ4_0:
      return {32, 18};
    case DType::kQ4_1:
      return {32, 20};
    case DType::kQ5_0:
      return {32, 22};
    case DType::kQ5_1:
      return {32, 24};
    case DType::kQ4_K:
      return {256, 144};
    case DType::kQ5_K:
      return {256, 176};
    case DType::kQ6_K:
      return {256, 210};
  }
  return {1, 4};
}

std::size_t row_bytes(DType dtype, std::size_t cols) {
  const BlockShape shape = block_shape(dtype);
  if (cols % shape.values != 0) {
    fail(ErrorCode::kInvalidData, "a {} row of {} values is not a whole number of blocks of {}",
         dtype_name(dtype), cols, shape.values);
  }
  return cols / shape.values * shape.bytes;
}

bool is_quantized(DType dtype) { return block_shape(dtype).values > 1; }

int zero_code(DType dtype) {
  switch (dtype) {
    case DType::kQ8_0:
      return 128;
    case DType::kQ4_0:
      return 8;
    case DType::kQ5_0:
      return 16;
    case DType::kQ6_K:
      return 32;
    default:
      return 0;
  }
}

CodeBlock read_codes(DType dtype, const std::byte* row, std::size_t index) {
  const BlockShape shape = block_shape(dtype);
  const std::size_t per = shape.values / kBlock, sub = index % per;
  const std::byte* bytes = row + index / per * shape.bytes;
  CodeBlock block;
  switch (dtype) {
    case DType::kQ8_0:
      for (std::size_t j = 0; j < kBlock; ++j) block.codes[j] = byte_at(bytes, 2 + j) ^ 0x80;
      break;
    case DType::kQ4_0:
      read_nibbles(bytes + 2, block);
      break;
    case DType::kQ4_1:
      read_nibbles(bytes + 4, block);
      break;
    case DType::kQ5_0:
      read_nibbles(bytes + 6, block);
      add_fifth_bits(read<std::uint32_t>(bytes + 2), block);
      break;
    case DType::kQ5_1:
      read_nibbles(bytes + 8, block);
      add_fifth_bits(read<std::uint32_t>(bytes + 4), block);
      break;
    case DType::kQ4_K:
      read_nibbles_k(bytes + 16, sub, block);
      read_scales_k(bytes, sub, block);
      return block;
    case DType::kQ5_K:
      read_nibbles_k(bytes + 48, sub, block);
      for (std::size_t j = 0; j < kBlock; ++j)
        block.codes[j] |= static_cast<std::uint8_t>((byte_at(bytes, 16 + j) >> sub & 1) << 4);
      read_scales_k(bytes, sub, block);
      return block;
    case DType::kQ6_K:
      read_q6_k(bytes, sub, block);
      return block;
    default:
      assert(false && "not a quantised format");
  }
  block.d[0] = block.d[1] = half_at(bytes);
  if (zero_code(dtype) == 0) block.m = half_at(bytes + 2);
  return block;
}

void dequantize(DType dtype, const std::byte* bytes, std::span<float> out) {
  if (dtype == DType::kF32) {
    std::memcpy(out.data(), bytes, out.size_bytes());
    return;
  }
  if (!is_quantized(dtype)) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto bits = read<std::uint16_t>(bytes + 2 * i);
      out[i] = dtype == DType::kF16 ? f16_to_f32(bits) : bf16_to_f32(bits);
    }
    return;
  }
  assert(out.size() % block_shape(dtype).values == 0);
  for (std::size_t i = 0; i < out.size() / kBlock; ++i)
    widen(read_codes(dtype, bytes, i), zero_code(dtype), out.subspan(i * kBlock, kBlock));
}

void widen(const CodeBlock& block, int zero, std::span<float> out) {
  for (std::size_t j = 0; j < kBlock; ++j) {
    const float product = block.d[j / 16] * static_cast<float>(block.codes[j] - zero);
    out[j] = zero == 0 ? product + block.m : product;
  }
}

float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 64);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float f16_to_f32(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t rest = half & 0x7fff;
  if (rest < 0x0400) {  // zero and subnormals: rest * 2^-24, exact
    const float value = static_cast<float>(rest) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  const std::uint32_t bias = rest >= 0x7c00 ? 255 - 31 : 127 - 15;
  const std::uint32_t quiet = rest > 0x7c00 ? 0x400000 : 0;  // hardware quiets a signalling NaN
  return std::bit_cast<float>(sign | ((rest << 13) + (bias << 23)) | quiet);
}

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return static_cast<std::uint16_t>(sign | 0x7e00 | (rest >> 13 & 0x3ff));
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest < 0x38800000) {  // becomes subnormal: the sum's unit is 2^-24, so the adder rounds
    const float sum = std::bit_cast<float>(rest) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(sum) - 0x3f000000));
  }
  const std::uint32_t rounded = rest + 0xfff + (rest >> 13 & 1);
  return static_cast<std::uint16_t>(sign | ((rounded - (std::uint32_t{112} << 23)) >> 13));
}

}  // namespace micius
