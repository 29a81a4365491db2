#include "engine/quantize.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/quant.h"

namespace micius {
namespace {

using Floats = std::span<const float>;

constexpr std::size_t kBlock = CodeBlock::kValues;

template <typename T>
void write(std::byte* out, T value) {
  std::memcpy(out, &value, sizeof value);
}

std::byte byte_of(int value) { return static_cast<std::byte>(static_cast<std::uint8_t>(value)); }

float inverse(float value) { return value != 0 ? 1 / value : 0; }

int nearest(float value) { return static_cast<int>(std::nearbyint(value)); }

// The value of largest magnitude, with its sign.
float extreme(Floats x) {
  float largest = 0;
  for (const float value : x) {
    if (std::abs(value) > std::abs(largest)) largest = value;
  }
  return largest;
}

void write_nibbles(const std::array<int, kBlock>& codes, std::byte* out) {
  for (std::size_t j = 0; j < 16; ++j) out[j] = byte_of(codes[j] | codes[j + 16] << 4);
}

void write_q8_0(Floats x, std::byte* out) {
  const float d = std::abs(extreme(x)) / 127, id = inverse(d);
  write(out, f32_to_f16(d));
  for (std::size_t j = 0; j < kBlock; ++j) out[2 + j] = byte_of(static_cast<int>(std::round(x[j] * id)));
}

void write_q4_0(Floats x, std::byte* out) {
  const float d = extreme(x) / -8, id = inverse(d);
  std::array<int, kBlock> codes{};
  for (std::size_t j = 0; j < kBlock; ++j) codes[j] = std::min(15, static_cast<int>(x[j] * id + 8.5F));
  write(out, f32_to_f16(d));
  write_nibbles(codes, out + 2);
}

void write_q4_1(Floats x, std::byte* out) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const float m = *low, d = (*high - m) / 15, id = inverse(d);
  std::array<int, kBlock> codes{};
  for (std::size_t j = 0; j < kBlock; ++j) codes[j] = std::min(15, static_cast<int>((x[j] - m) * id + 0.5F));
  write(out, f32_to_f16(d));
  write(out + 2, f32_to_f16(m));
  write_nibbles(codes, out + 4);
}

// The K formats: blocks of 256 with scales of their own for parts of 32 (Q4_K) or 16 (Q6_K) values.
constexpr std::size_t kSuper = 256;

struct ScaleAndMin {
  float scale = 0, min = 0;  // value = scale * code - min; min >= 0
};

// Weighted least squares for scale and minimum over codes from a grid of 21 scales (make_qkx2_quants).
ScaleAndMin fit_with_min(Floats x, Floats weights, int max_code) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const float min = std::min(*low, 0.0F), max = *high;
  if (max == min) return {0, -min};
  float sum_w = 0, sum_x = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum_w += weights[i];
    sum_x += weights[i] * x[i];
  }
  std::array<int, kBlock> codes{};
  const auto take_codes = [&](float inverse_scale) {
    for (std::size_t i = 0; i < x.size(); ++i)
      codes[i] = std::clamp(nearest(inverse_scale * (x[i] - min)), 0, max_code);
  };
  const auto error = [&](float scale, float offset) {
    float sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float difference = scale * static_cast<float>(codes[i]) + offset - x[i];
      sum += weights[i] * difference * difference;
    }
    return sum;
  };
  const float range = max - min, steps = static_cast<float>(max_code);
  float scale = 1 / (steps / range), offset = min;
  take_codes(steps / range);
  float best = error(scale, offset);
  for (int step = 0; step <= 20; ++step) {
    take_codes((-1.0F + 0.1F * static_cast<float>(step) + steps) / range);
    float sum_l = 0, sum_l2 = 0, sum_xl = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float l = static_cast<float>(codes[i]), w = weights[i];
      sum_l += w * l;
      sum_l2 += w * l * l;
      sum_xl += w * l * x[i];
    }
    const float determinant = sum_w * sum_l2 - sum_l * sum_l;
    if (determinant <= 0) continue;
    float new_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    float new_offset = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    if (new_offset > 0) {
      new_offset = 0;
      new_scale = sum_xl / sum_l2;
    }
    if (const float now = error(new_scale, new_offset); now < best) {
      best = now;
      scale = new_scale;
      offset = new_offset;
    }
  }
  return {scale, -offset};
}

void write_q4_k(Floats x, std::byte* out) {
  std::array<ScaleAndMin, 8> parts;
  float max_scale = 0, max_min = 0;
  for (std::size_t j = 0; j < parts.size(); ++j) {
    const Floats part = x.subspan(j * kBlock, kBlock);
    float squares = 0;
    for (const float value : part) squares += value * value;
    const float level = std::sqrt(squares / kBlock);
    std::array<float, kBlock> weights{};
    for (std::size_t i = 0; i < kBlock; ++i) weights[i] = level + std::abs(part[i]);
    parts[j] = fit_with_min(part, weights, 15);
    max_scale = std::max(max_scale, parts[j].scale);
    max_min = std::max(max_min, parts[j].min);
  }
  const std::uint16_t d = f32_to_f16(max_scale / 63), dmin = f32_to_f16(max_min / 63);
  write(out, d);
  write(out + 2, dmin);
  std::array<int, 12> packed{};
  for (std::size_t j = 0; j < parts.size(); ++j) {
    const int scale = std::min(63, nearest(63 * inverse(max_scale) * parts[j].scale));
    const int min = std::min(63, nearest(63 * inverse(max_min) * parts[j].min));
    if (j < 4) {
      packed[j] = scale;
      packed[j + 4] = min;
    } else {
      packed[j + 4] = (scale & 15) | (min & 15) << 4;
      packed[j - 4] |= scale >> 4 << 6;
      packed[j] |= min >> 4 << 6;
    }
    const float step = f16_to_f32(d) * static_cast<float>(scale),
                below = f16_to_f32(dmin) * static_cast<float>(min);
    for (std::size_t i = 0; i < kBlock; ++i) {
      const int code = step == 0 ? 0 : std::clamp(nearest((x[j * kBlock + i] + below) / step), 0, 15);
      std::byte& place = out[16 + j / 2 * kBlock + i];
      place = j % 2 == 0 ? byte_of(code) : place | byte_of(code << 4);
    }
  }
  for (std::size_t i = 0; i < packed.size(); ++i) out[4 + i] = byte_of(packed[i]);
}

// The scale of signed codes from -max_code to max_code - 1, each value weighted by its square
// (make_qx_quants).
float fit_signed(Floats x, int max_code) {
  const float largest = extreme(x);
  if (std::abs(largest) < 1e-15F) return 0;
  float scale = 0, best = 0;
  for (const int step : {0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
    const float inverse_scale = -(static_cast<float>(max_code) + 0.1F * static_cast<float>(step)) / largest;
    float sum_lx = 0, sum_l2 = 0;
    for (const float value : x) {
      const float l = static_cast<float>(std::clamp(nearest(inverse_scale * value), -max_code, max_code - 1));
      const float weight = value * value;
      sum_lx += weight * value * l;
      sum_l2 += weight * l * l;
    }
    if (sum_l2 > 0 && (step == 0 || sum_lx * sum_lx > best * sum_l2)) {
      scale = sum_lx / sum_l2;
      best = scale * sum_lx;
    }
  }
  return scale;
}

void write_q6_k(Floats x, std::byte* out) {
  constexpr std::size_t kPart = 16;
  std::array<float, kSuper / kPart> scales{};
  for (std::size_t j = 0; j < scales.size(); ++j) scales[j] = fit_signed(x.subspan(j * kPart, kPart), 32);
  const float largest = extreme(scales);
  std::fill(out, out + block_shape(DType::kQ6_K).bytes, std::byte{0});
  if (std::abs(largest) < 1e-15F) return;
  const float inverse_scale = -128 / largest;
  const std::uint16_t d = f32_to_f16(1 / inverse_scale);
  write(out + 208, d);
  for (std::size_t j = 0; j < scales.size(); ++j) {
    const int scale = std::min(127, nearest(inverse_scale * scales[j]));
    out[192 + j] = byte_of(scale);
    const float step = f16_to_f32(d) * static_cast<float>(scale);
    for (std::size_t i = j * kPart; i < (j + 1) * kPart; ++i) {
      const int code = step == 0 ? 32 : 32 + std::clamp(nearest(x[i] / step), -32, 31);
      // Quarters of 32 in each half of 128: two share the low bits' bytes, four the high bits'.
      const std::size_t half = i / 128, quarter = i % 128 / 32, l = i % 32;
      out[half * 64 + quarter % 2 * 32 + l] |= byte_of((code & 15) << (quarter / 2 * 4));
      out[128 + half * 32 + l] |= byte_of(code >> 4 << (quarter * 2));
    }
  }
}

void write_block(DType dtype, Floats x, std::byte* out) {
  switch (dtype) {
    case DType::kF32:
      return write(out, x[0]);
    case DType::kF16:
      return write(out, f32_to_f16(x[0]));
    case DType::kBF16:
      return write(out, f32_to_bf16(x[0]));
    case DType::kQ8_0:
      return write_q8_0(x, out);
    case DType::kQ4_0:
      return write_q4_0(x, out);
    case DType::kQ4_1:
      return write_q4_1(x, out);
    case DType::kQ4_K:
      return write_q4_k(x, out);
    case DType::kQ6_K:
      return write_q6_k(x, out);
    default:
      assert(false && "not a format that is written");
  }
}

}  // namespace

void quantize(DType dtype, Floats values, std::byte* out) {
  const BlockShape shape = block_shape(dtype);
  assert(values.size() % shape.values == 0);
  for (std::size_t i = 0; i < values.size(); i += shape.values, out += shape.bytes) {
    write_block(dtype, values.subspan(i, shape.values), out);
  }
}

}  // namespace micius
