// Rows as the linears of a GPU read them: in runs of 32 columns, each value as a sum of bf16 numbers.
//
// One number (a plane) has 8 bits of a value, two have 16. A matrix instruction multiplies bf16 alone, so a
// linear's inputs are split once, by the kernel that writes them, and not by each block that reads them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"

namespace micius {

// Which runs lie side by side. Own kernels read the same block of 8 rows at a time; matrix libraries want
// whole rows.
enum class RunOrder : std::uint32_t { kByBlock, kByRow };

struct BlockedRows {
  static constexpr std::uint32_t kColumns = 32;    // of a run
  static constexpr std::uint32_t kWidthStep = 64;  // rows are padded with zeros to a multiple of it
  static constexpr std::uint32_t kWords = 16;      // of a run

  // [planes][blocks][stride][kWords], two numbers a word; kByRow: [planes][stride][blocks][kWords]
  std::uint32_t* values = nullptr;
  float* sums = nullptr;  // [blocks][stride]: of a run's values, as its planes have them
  std::uint32_t rows = 0, width = 0, planes = 0;
  std::uint32_t stride =
      0;  // rows that there is room for, a multiple of 8; what is behind `rows` is undefined
  RunOrder order = RunOrder::kByBlock;

  static constexpr std::uint32_t blocks(std::uint32_t width) {
    return (width + kWidthStep - 1) / kWidthStep * (kWidthStep / kColumns);
  }
  static constexpr std::uint32_t stride_of(std::uint32_t rows) { return (rows + 7) / 8 * 8; }
  constexpr std::uint32_t blocks() const { return blocks(width); }
  constexpr std::size_t word(std::uint32_t plane, std::uint32_t block, std::uint32_t row) const {
    const std::size_t run =
        order == RunOrder::kByBlock ? std::size_t{block} * stride + row : std::size_t{row} * blocks() + block;
    return (std::size_t{plane} * blocks() * stride + run) * kWords;
  }
  bool operator==(const BlockedRows&) const = default;
};

// Of a block whose threads share a row: a thread has four columns at a time.
constexpr std::uint32_t row_threads(std::uint32_t width) {
  const std::uint32_t wanted = (width + 127) / 128 * 32;
  return wanted < 256 ? wanted : 256;
}

// Writes the columns from `column` on of a row, zeros behind its width. All lanes of a warp take part, each
// with the four columns behind the lane's before.
template <typename D>
MICIUS_KERNEL void put_four(D& d, const BlockedRows& to, unsigned row, unsigned column, const Float4& value) {
  const unsigned block = column / BlockedRows::kColumns;
  const bool inside = block < to.blocks();
  float rest[4] = {value.x, value.y, value.z, value.w};
  float sum = 0;
  for (unsigned plane = 0; plane < to.planes; ++plane) {
    const Words2 words{d.template pack<BF16>(rest[0], rest[1]), d.template pack<BF16>(rest[2], rest[3])};
    const float kept[4] = {d.template first<BF16>(words.x), d.template second<BF16>(words.x),
                           d.template first<BF16>(words.y), d.template second<BF16>(words.y)};
    MICIUS_UNROLL
    for (unsigned i = 0; i < 4; ++i) {
      rest[i] -= kept[i];
      sum += kept[i];
    }
    std::uint32_t* run = to.values + (inside ? to.word(plane, block, row) : 0);
    if (inside) d.store(reinterpret_cast<Words2*>(run) + column % BlockedRows::kColumns / 4, words);
  }
  for (unsigned mask = 1; mask < 8; mask *= 2) sum += d.shuffle_xor(sum, mask);
  if (inside && column % BlockedRows::kColumns == 0) d.store(to.sums + block * to.stride + row, sum);
}

// Writes a row by all threads of a block, row_threads(width) of them. four(column) gives the values of four
// columns; width is a multiple of 4.
template <typename D, typename F>
MICIUS_KERNEL void put_row(D& d, const BlockedRows& to, unsigned row, const F& four) {
  for (unsigned first = 128 * d.warp(); first < to.blocks() * BlockedRows::kColumns;
       first += 4 * row_threads(to.width)) {
    const unsigned column = first + 4 * d.lane();
    put_four(d, to, row, column, column < to.width ? four(column) : Float4{0, 0, 0, 0});
  }
}

}  // namespace micius
