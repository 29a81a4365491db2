// The elementwise ops and RoPE as kernels, those that feed a linear with its inputs' form as their
// output. A kernel is a value: its shape() says how it is started, and each of its threads calls it.
//
// Widths are multiples of 4; rows are contiguous where nothing else is said.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"
#include "engine/ops/blocked_rows.h"

namespace micius {

inline constexpr float kLog2e = 1.44269504F;

// A block's sum of its threads' values, for all of them. Shared memory: 4 * warps bytes from `at` on, of
// which a launch makes no other use.
template <typename D>
MICIUS_KERNEL float block_sum(D& d, float value, unsigned warps, SharedAddress at) {
  for (unsigned mask = 16; mask > 0; mask /= 2) value += d.shuffle_xor(value, mask);
  if (warps == 1) return value;
  if (d.lane() == 0) d.shared_store(at + 4 * d.warp(), value);
  d.sync_block();
  value = d.lane() < warps ? d.template shared_load<float>(at + 4 * d.lane()) : 0;
  for (unsigned mask = 16; mask > 0; mask /= 2) value += d.shuffle_xor(value, mask);
  return value;
}

// rms_norm, as a linear's input or added to a residual stream.
struct NormKernel {
  const float* x = nullptr;       // [rows, width]
  const float* weight = nullptr;  // [width]
  BlockedRows out = {};           // where `residual` is null
  float* residual = nullptr;      // [rows, width]
  std::uint32_t rows = 0, width = 0;
  float epsilon = 0;

  constexpr LaunchShape shape() const { return {rows, row_threads(width), row_threads(width) / 32 * 4}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const unsigned row = d.block(), threads = row_threads(width);
    const float* const from = x + std::size_t{row} * width;
    float squares = 0;
    for (unsigned column = 4 * d.thread(); column < width; column += 4 * threads) {
      const Float4 v = d.load_fresh4(from + column);
      squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
    }
    const float mean = block_sum(d, squares, threads / 32, 0) / static_cast<float>(width);
    const float factor = 1 / ::sqrtf(mean + epsilon);
    const auto normed = [&](unsigned column) {
      const Float4 v = d.load_fresh4(from + column);
      return Float4{v.x * factor * d.load(weight + column), v.y * factor * d.load(weight + column + 1),
                    v.z * factor * d.load(weight + column + 2), v.w * factor * d.load(weight + column + 3)};
    };
    if (residual == nullptr) {
      put_row(d, out, row, normed);
      return;
    }
    float* const to = residual + std::size_t{row} * width;
    for (unsigned column = 4 * d.thread(); column < width; column += 4 * threads) {
      const Float4 v = normed(column), before = d.load_fresh4(to + column);
      d.store(reinterpret_cast<Float4*>(to + column),
              Float4{before.x + v.x, before.y + v.y, before.z + v.z, before.w + v.w});
    }
  }
  bool operator==(const NormKernel&) const = default;
};

// A linear's input from rows of floats.
struct SplitKernel {
  const float* x = nullptr;  // [out.rows, out.width]
  BlockedRows out;

  constexpr LaunchShape shape() const { return {out.rows, row_threads(out.width), 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const float* const from = x + std::size_t{d.block()} * out.width;
    put_row(d, out, d.block(), [&](unsigned column) { return d.load_fresh4(from + column); });
  }
  bool operator==(const SplitKernel&) const = default;
};

enum class Gate : std::uint32_t { kSilu, kGeluTanh };

// swiglu or geglu.
struct GatedKernel {
  const float* gate_up = nullptr;  // [out.rows, 2 * out.width], gate first
  BlockedRows out;
  Gate gate = Gate::kSilu;

  constexpr LaunchShape shape() const { return {out.rows, row_threads(out.width), 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const float* const from = gate_up + std::size_t{d.block()} * 2 * out.width;
    put_row(d, out, d.block(), [&](unsigned column) {
      const Float4 g = d.load_fresh4(from + column), up = d.load_fresh4(from + out.width + column);
      return Float4{gated(d, g.x) * up.x, gated(d, g.y) * up.y, gated(d, g.z) * up.z, gated(d, g.w) * up.w};
    });
  }
  bool operator==(const GatedKernel&) const = default;

 private:
  // Both are x / (1 + e^-a): with a = x for silu, and for gelu's tanh form twice what the tanh is of.
  template <typename D>
  MICIUS_KERNEL float gated(D& d, float x) const {
    const float a = gate == Gate::kSilu ? x : 1.59576912F * (x + 0.044715F * x * x * x);
    return x / (1 + d.exp2(-kLog2e * a));
  }
};

// rms_norm_heads, where there are weights, and apply_rope: a warp for each head.
struct HeadsKernel {
  static constexpr std::uint32_t kWarps = 4;  // of a block

  const float* x = nullptr;                 // at the first head of row 0; rows are `stride` floats apart
  float* out = nullptr;                     // likewise, `out_stride` floats apart; may be x
  const float* weight = nullptr;            // [dim]; null: no norm
  const float* table = nullptr;             // RopeTable's
  const std::int32_t* positions = nullptr;  // [rows]
  std::uint32_t rows = 0, heads = 0, dim = 0, stride = 0, out_stride = 0;
  float epsilon = 0;

  constexpr LaunchShape shape() const { return {(rows * heads + kWarps - 1) / kWarps, 32 * kWarps, 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const unsigned item = d.block() * kWarps + d.warp(), row = item / heads;
    if (row >= rows) return;
    const float* const head = x + std::size_t{row} * stride + item % heads * dim;
    float* const to = out + std::size_t{row} * out_stride + item % heads * dim;
    const float factor = weight == nullptr ? 1 : norm_factor(d, head);
    const unsigned half = dim / 2;
    const float* const turn = table + static_cast<std::size_t>(d.load(positions + row)) * dim;
    for (unsigned j = d.lane(); j < half; j += 32) {
      float a = d.load_fresh(head + j) * factor, b = d.load_fresh(head + half + j) * factor;
      if (weight != nullptr) {
        a *= d.load(weight + j);
        b *= d.load(weight + half + j);
      }
      const float cosine = d.load(turn + j), sine = d.load(turn + half + j);
      d.store(to + j, a * cosine - b * sine);
      d.store(to + half + j, b * cosine + a * sine);
    }
  }
  bool operator==(const HeadsKernel&) const = default;

 private:
  template <typename D>
  MICIUS_KERNEL float norm_factor(D& d, const float* head) const {
    float squares = 0;
    for (unsigned j = d.lane(); j < dim; j += 32) {
      const float v = d.load_fresh(head + j);
      squares += v * v;
    }
    for (unsigned mask = 16; mask > 0; mask /= 2) squares += d.shuffle_xor(squares, mask);
    return 1 / ::sqrtf(squares / static_cast<float>(dim) + epsilon);
  }
};

// Rows `ids` of x.
struct GatherKernel {
  const float* x = nullptr;           // [any, width]
  const std::int32_t* ids = nullptr;  // [rows]
  float* out = nullptr;               // [rows, width]
  std::uint32_t rows = 0, width = 0;

  constexpr LaunchShape shape() const { return {rows, row_threads(width), 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const float* const from = x + static_cast<std::size_t>(d.load(ids + d.block())) * width;
    float* const to = out + std::size_t{d.block()} * width;
    for (unsigned column = 4 * d.thread(); column < width; column += 4 * row_threads(width)) {
      d.store(reinterpret_cast<Float4*>(to + column), d.load_fresh4(from + column));
    }
  }
  bool operator==(const GatherKernel&) const = default;
};

}  // namespace micius
