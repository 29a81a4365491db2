// What a lane makes of the tiles of TiledWeights: registers for matrix instructions, and the scales of a
// block's sums.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"
#include "engine/ops/linear_gpu.h"

namespace micius {

// A block of 32 inputs of a lane's 16 outputs. A sum over the block counts as scale * sum + shift * (sum of
// the inputs); x is of output lane / 4, y of the one 8 behind.
struct BlockWeights {
  std::uint32_t a[2][4];  // of both steps
  Float2 scale, shift;
};

// The tiles of 16 outputs.
struct TileRow {
  const std::uint32_t* tiles;
  std::uint32_t row_words;  // of kBF16

  template <TileFormat kFormat>
  constexpr const std::uint32_t* tile(unsigned column) const {
    return tiles + std::size_t{column} * tile_words(kFormat);
  }
};

template <TileFormat kFormat>
constexpr TileRow tile_row(const TiledWeights& weights, unsigned row_tile) {
  return {weights.tiles + std::size_t{row_tile} * weights.column_tiles() * tile_words(kFormat),
          weights.row_words()};
}

// Formats as types. load() reads what of tile `column` belongs to block `b`; the compiler sees what two
// blocks share.
template <TileFormat kFormat>
struct Tile;

template <>
struct Tile<TileFormat::kBF16> {
  static constexpr bool kScaled = false;
  template <typename D>
  static MICIUS_KERNEL void load(D& d, const TileRow& row, unsigned column, unsigned b, BlockWeights& w) {
    const std::uint32_t* const words =
        row.tiles + std::size_t{d.lane() / 4} * row.row_words + (2 * column + b) * 16 + 4 * (d.lane() % 4);
    MICIUS_UNROLL
    for (unsigned r = 0; r < 2; ++r) {  // the output 8 behind
      const Words4 inputs = d.load4(words + std::size_t{8 * r} * row.row_words);
      w.a[0][r] = inputs.x;
      w.a[0][2 + r] = inputs.y;
      w.a[1][r] = inputs.z;
      w.a[1][2 + r] = inputs.w;
    }
  }
};

// The scales of two blocks in a word: those of a lane's two outputs.
template <typename D>
MICIUS_KERNEL Float2 block_scales(D& d, const std::uint32_t* scales, unsigned b) {
  const std::uint32_t x = d.load(scales + d.lane() / 4), y = d.load(scales + d.lane() / 4 + 8);
  if (b == 0) return {d.template first<F16>(x), d.template first<F16>(y)};
  return {d.template second<F16>(x), d.template second<F16>(y)};
}

template <>
struct Tile<TileFormat::kQ8_0> {
  static constexpr bool kScaled = true;
  template <typename D>
  static MICIUS_KERNEL void load(D& d, const TileRow& row, unsigned column, unsigned b, BlockWeights& w) {
    const std::uint32_t* const tile = row.tile<TileFormat::kQ8_0>(column);
    const Words4 words = d.load4(tile + 128 * b + 4 * d.lane());
    widen(d, words.x, w.a[0][0], w.a[0][1]);
    widen(d, words.y, w.a[0][2], w.a[0][3]);
    widen(d, words.z, w.a[1][0], w.a[1][1]);
    widen(d, words.w, w.a[1][2], w.a[1][3]);
    w.scale = block_scales(d, tile + 256, b);
    w.shift = {0, 0};
  }

 private:
  template <typename D>
  static MICIUS_KERNEL void widen(D& d, std::uint32_t codes, std::uint32_t& r0, std::uint32_t& r1) {
    const auto code = [codes](unsigned i) {
      return static_cast<float>(static_cast<std::int8_t>(static_cast<std::uint8_t>(codes >> 8 * i)));
    };
    r0 = d.template pack<BF16>(code(0), code(1));
    r1 = d.template pack<BF16>(code(2), code(3));
  }
};

// As the low bits of a bf16 from 128 to 256 a code is that number more, which `shift` takes back.
inline constexpr float kNibbleZero = 128;

template <typename D>
MICIUS_KERNEL void load_nibbles(D& d, const std::uint32_t* tile, unsigned b, BlockWeights& w) {
  const Words4 words = d.load4(tile + 4 * d.lane());
  const std::uint32_t codes[2] = {b == 0 ? words.x : words.z, b == 0 ? words.y : words.w};
  MICIUS_UNROLL
  for (unsigned step = 0; step < 2; ++step) {
    MICIUS_UNROLL
    for (unsigned r = 0; r < 4; ++r) w.a[step][r] = (codes[step] >> 4 * r & 0x000f000fU) | 0x43004300U;
  }
}

template <>
struct Tile<TileFormat::kQ4_0> {
  static constexpr bool kScaled = true;
  template <typename D>
  static MICIUS_KERNEL void load(D& d, const TileRow& row, unsigned column, unsigned b, BlockWeights& w) {
    const std::uint32_t* const tile = row.tile<TileFormat::kQ4_0>(column);
    load_nibbles(d, tile, b, w);
    w.scale = block_scales(d, tile + 128, b);
    w.shift = {-(kNibbleZero + 8) * w.scale.x, -(kNibbleZero + 8) * w.scale.y};
  }
};

template <>
struct Tile<TileFormat::kQ4_1> {
  static constexpr bool kScaled = true;
  template <typename D>
  static MICIUS_KERNEL void load(D& d, const TileRow& row, unsigned column, unsigned b, BlockWeights& w) {
    const std::uint32_t* const tile = row.tile<TileFormat::kQ4_1>(column);
    load_nibbles(d, tile, b, w);
    const std::uint32_t* const scales = tile + 128 + 16 * b + d.lane() / 4;
    const std::uint32_t x = d.load(scales), y = d.load(scales + 8);
    w.scale = {d.template first<F16>(x), d.template first<F16>(y)};
    w.shift = {d.template second<F16>(x) - kNibbleZero * w.scale.x,
               d.template second<F16>(y) - kNibbleZero * w.scale.y};
  }
};

// One weight.
template <typename D>
MICIUS_KERNEL float weight_at(D& d, const TiledWeights& weights, std::uint32_t output, std::uint32_t input) {
  if (weights.format == TileFormat::kBF16) {
    const std::uint32_t word = d.load(weights.tiles + std::size_t{output} * weights.row_words() + input / 2);
    return input % 2 == 0 ? d.template first<BF16>(word) : d.template second<BF16>(word);
  }
  const std::uint32_t* const tile =
      weights.tiles +
      (std::size_t{output / 16} * weights.column_tiles() + input / 64) * tile_words(weights.format);
  const std::uint32_t row = output % 16, b = input / 32 % 2, column = input % 32;
  const std::uint32_t lane = row % 8 * 4 + column / 8, step = column / 4 % 2,
                      r = column / 2 % 2 * 2 + row / 8, j = column % 2;
  if (weights.format == TileFormat::kQ8_0) {
    const std::uint32_t codes = d.load(tile + 128 * b + 4 * lane + 2 * step + r / 2),
                        scale = d.load(tile + 256 + row);
    const auto code = static_cast<std::int8_t>(static_cast<std::uint8_t>(codes >> 8 * (r % 2 * 2 + j)));
    return static_cast<float>(code) * (b == 0 ? d.template first<F16>(scale) : d.template second<F16>(scale));
  }
  const std::uint32_t codes = d.load(tile + 4 * lane + 2 * b + step);
  const auto code = static_cast<float>(codes >> (4 * r + 16 * j) & 15U);
  if (weights.format == TileFormat::kQ4_0) {
    const std::uint32_t scale = d.load(tile + 128 + row);
    return (code - 8) * (b == 0 ? d.template first<F16>(scale) : d.template second<F16>(scale));
  }
  const std::uint32_t scale = d.load(tile + 128 + 16 * b + row);
  return code * d.template first<F16>(scale) + d.template second<F16>(scale);
}

}  // namespace micius
