// Ops of encoders as kernels of rows: those that no decoder has.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"
#include "engine/ops/blocked_rows.h"
#include "engine/ops/elementwise_gpu.h"

namespace micius {

// Rows `ids` of one table, to each of them added a row of another.
struct GatherSumKernel {
  const float* table = nullptr;         // [any, width]
  const float* other = nullptr;         // [any, width]
  const std::int32_t* ids = nullptr;    // [rows], of `table`
  const std::int32_t* added = nullptr;  // [rows], of `other`
  float* out = nullptr;                 // [rows, width]
  std::uint32_t rows = 0, width = 0;

  constexpr LaunchShape shape() const { return {rows, row_threads(width), 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const float* const x = table + static_cast<std::size_t>(d.load(ids + d.block())) * width;
    const float* const y = other + static_cast<std::size_t>(d.load(added + d.block())) * width;
    float* const to = out + std::size_t{d.block()} * width;
    for (unsigned column = 4 * d.thread(); column < width; column += 4 * row_threads(width)) {
      const Float4 a = d.load_fresh4(x + column), b = d.load_fresh4(y + column);
      d.store(reinterpret_cast<Float4*>(to + column), Float4{a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w});
    }
  }
  bool operator==(const GatherSumKernel&) const = default;
};

// layer_norm in place, its result as a linear's input too.
struct LayerNormKernel {
  float* x = nullptr;                              // [out.rows, out.width]
  const float *weight = nullptr, *bias = nullptr;  // [out.width]
  BlockedRows out;
  float epsilon = 0;

  constexpr LaunchShape shape() const {
    return {out.rows, row_threads(out.width), row_threads(out.width) / 32 * 8};
  }
  // The mean is taken off before squares are summed: rows whose mean is far from 0 lose no digits.
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const unsigned warps = row_threads(out.width) / 32;
    const auto width = static_cast<float>(out.width);
    float* const row = x + std::size_t{d.block()} * out.width;
    const float sum = my_sum(d, row, [](float v) { return v; });
    const float mean = block_sum(d, sum, warps, 0) / width;
    const float squares = my_sum(d, row, [mean](float v) { return (v - mean) * (v - mean); });
    const float factor = 1 / ::sqrtf(block_sum(d, squares, warps, 4 * warps) / width + epsilon);
    put_row(d, out, d.block(), [&](unsigned column) {
      const Float4 v = d.load_fresh4(row + column);
      const auto normed = [&](unsigned i, float value) {
        return (value - mean) * factor * d.load(weight + column + i) + d.load(bias + column + i);
      };
      const Float4 y{normed(0, v.x), normed(1, v.y), normed(2, v.z), normed(3, v.w)};
      d.store(reinterpret_cast<Float4*>(row + column), y);  // no other thread has these columns
      return y;
    });
  }
  bool operator==(const LayerNormKernel&) const = default;

 private:
  template <typename D, typename F>
  MICIUS_KERNEL float my_sum(D& d, const float* row, const F& f) const {
    float sum = 0;
    for (unsigned column = 4 * d.thread(); column < out.width; column += 4 * row_threads(out.width)) {
      const Float4 v = d.load_fresh4(row + column);
      sum += f(v.x) + f(v.y) + f(v.z) + f(v.w);
    }
    return sum;
  }
};

// gelu as a linear's input, of what has its bias already.
struct GeluKernel {
  const float* x = nullptr;  // [out.rows, out.width]
  BlockedRows out;

  constexpr LaunchShape shape() const { return {out.rows, row_threads(out.width), 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const float* const from = x + std::size_t{d.block()} * out.width;
    put_row(d, out, d.block(), [&](unsigned column) {
      const Float4 v = d.load_fresh4(from + column);
      return Float4{gelu(v.x), gelu(v.y), gelu(v.z), gelu(v.w)};
    });
  }
  bool operator==(const GeluKernel&) const = default;

 private:
  static MICIUS_KERNEL float gelu(float x) { return 0.5F * x * (1 + ::erff(0.707106781F * x)); }
};

// unit_means: a block for each run of rows.
struct UnitMeansKernel {
  const float* x = nullptr;              // [first[runs], width]
  const std::uint32_t* first = nullptr;  // [runs + 1]: the first row of each run, then the end of the last
  float* out = nullptr;                  // [runs, width]
  std::uint32_t runs = 0, width = 0;

  constexpr LaunchShape shape() const { return {runs, row_threads(width), row_threads(width) / 32 * 4}; }
  // The sum has the direction of the mean.
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const unsigned threads = row_threads(width);
    const std::size_t begin = d.load(first + d.block()), end = d.load(first + d.block() + 1);
    float* const to = out + std::size_t{d.block()} * width;
    float squares = 0;
    for (unsigned column = 4 * d.thread(); column < width; column += 4 * threads) {
      Float4 sum{0, 0, 0, 0};
      for (std::size_t row = begin; row < end; ++row) {
        const Float4 v = d.load_fresh4(x + row * width + column);
        sum = {sum.x + v.x, sum.y + v.y, sum.z + v.z, sum.w + v.w};
      }
      squares += sum.x * sum.x + sum.y * sum.y + sum.z * sum.z + sum.w * sum.w;
      d.store(reinterpret_cast<Float4*>(to + column), sum);
    }
    const float total = block_sum(d, squares, threads / 32, 0);
    const float factor = total > 0 ? 1 / ::sqrtf(total) : 0;
    for (unsigned column = 4 * d.thread(); column < width; column += 4 * threads) {
      const Float4 v = d.load_fresh4(to + column);
      d.store(reinterpret_cast<Float4*>(to + column),
              Float4{v.x * factor, v.y * factor, v.z * factor, v.w * factor});
    }
  }
  bool operator==(const UnitMeansKernel&) const = default;
};

}  // namespace micius
