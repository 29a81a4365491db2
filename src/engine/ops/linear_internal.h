// Packed weights, packed activations and the kernels of linear layers.
//
// Weights: tiles of 16 rows (outputs), cut into blocks of 32 columns (k), one layout for any number of
// activation rows. A vector instruction works on 16 outputs, so no sum crosses lanes.
//   float formats: [32 k][16 rows]
//   code formats:  codes, then scales. A 32-bit word holds 4 neighbouring k of one row.
//     bytes:   [8 groups][16 rows][4 k]
//     nibbles: [4 groups][16 rows][4 k], group g in the low half and group g + 4 in the high half
//     sixes:   the low four bits as nibbles, then [2][16 rows][4 k], the high two bits of group 4 i + j in
//              bits 2 j and 2 j + 1 of part i
// A weight is d * (code - zero) + m. Where a block's d is 0 its codes are set to zero and d to 2^-24, so that
// kernels may multiply d by a power of two in its exponent bits.
//
// Activations for code formats: x = s * q, s for each block of 32; q a 16-bit integer and s a power of two,
// or under Numerics::kFast q of 8 bits. In tiles of Kernels::row_tile rows; one block of a tile is
// ActivationBlock. Integer sums over a block are exact, then, for each block in order,
//   y = fma(float(sum of (code - zero) * q), d * s, y)      twice for kSixHalves, columns 0-15 first
//   y = fma(m, s * float(sum of q), y)                      for formats with a minimum
// so that every instruction set and every number of rows gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu.h"
#include "engine/tensor.h"

namespace micius {

inline constexpr std::size_t kTileRows = 16, kBlockCols = 32;

enum class WeightFormat {
  kF32,
  kF16,
  kBF16,
  kNibble,        // f16 d                 Q4_0
  kNibbleMin,     // f16 d, f16 m          Q4_1
  kNibbleMinF32,  // f32 d, f32 m          Q4_K
  kByte,          // f16 d                 Q8_0, Q5_0
  kByteMinF32,    // f32 d, f32 m          Q5_1, Q5_K
  kSixHalves,     // f16 u, s8 of columns 0-15, s8 of columns 16-31, d = u * s    Q6_K
};
constexpr bool has_codes(WeightFormat format) { return format >= WeightFormat::kNibble; }
constexpr bool has_nibbles(WeightFormat format) { return has_codes(format) && format < WeightFormat::kByte; }
constexpr std::size_t code_bytes(WeightFormat format) {  // of a block; a format with codes
  return has_nibbles(format) ? 256 : format == WeightFormat::kSixHalves ? 384 : 512;
}
constexpr bool has_half_scales(WeightFormat format) {
  return format == WeightFormat::kNibble || format == WeightFormat::kNibbleMin ||
         format == WeightFormat::kByte;
}
constexpr std::size_t block_bytes(WeightFormat format) {  // of 16 rows x 32 columns
  constexpr std::size_t kBytes[] = {2048,      1024,     1024,      256 + 32, 256 + 64,
                                    256 + 128, 512 + 32, 512 + 128, 384 + 64};
  return kBytes[static_cast<std::size_t>(format)];
}

// multiply.template operator()<format>() for a format with codes.
template <typename Multiply>
void with_code_format(WeightFormat format, const Multiply& multiply) {
  switch (format) {
    case WeightFormat::kNibble:
      return multiply.template operator()<WeightFormat::kNibble>();
    case WeightFormat::kNibbleMin:
      return multiply.template operator()<WeightFormat::kNibbleMin>();
    case WeightFormat::kNibbleMinF32:
      return multiply.template operator()<WeightFormat::kNibbleMinF32>();
    case WeightFormat::kByte:
      return multiply.template operator()<WeightFormat::kByte>();
    case WeightFormat::kByteMinF32:
      return multiply.template operator()<WeightFormat::kByteMinF32>();
    default:
      return multiply.template operator()<WeightFormat::kSixHalves>();
  }
}

struct PackedPart {
  WeightFormat format;
  int zero;  // 0 or a power of two
  std::size_t first_output, outputs, cols;
  std::byte* data;  // [tiles()][blocks()] of block_bytes(format)

  std::size_t tiles() const { return (outputs + kTileRows - 1) / kTileRows; }
  std::size_t blocks() const { return (cols + kBlockCols - 1) / kBlockCols; }
  std::size_t bytes() const { return tiles() * blocks() * block_bytes(format); }
  const std::byte* block(std::size_t tile, std::size_t index) const {
    return data + (tile * blocks() + index) * block_bytes(format);
  }
};

// Where the numbers of one block of an activation tile of `rows` rows lie, in bytes.
struct ActivationBlock {
  std::size_t rows;
  constexpr std::size_t codes(std::size_t row) const {
    return row * 64;
  }                                                          // 32 int16, or what the kernels make of them
  constexpr std::size_t scale() const { return rows * 64; }  // [rows] float s
  constexpr std::size_t scaled_sum() const { return rows * 68; }  // [rows] float s * sum of q
  constexpr std::size_t negative_sums() const {
    return rows * 72;
  }  // [2][rows] int32, of columns 0-15 and 16-31
  constexpr std::size_t bytes() const { return rows * 80; }
};

// Some tiles of a part times some rows.
struct LinearTask {
  const PackedPart& part;
  std::size_t tile_begin, tile_end;
  std::size_t row_begin, row_end;  // row_begin is a multiple of row_tile
  const float* x;                  // row 0: [rows, cols]
  const std::byte* activations;    // tile 0; null for float formats
  float* y;                        // row 0, the part's first output
  std::size_t y_stride;
  FetchAhead ahead;
  std::byte* panel;  // LinearKernels::panel_bytes(), this thread's
};

struct LinearKernels {
  std::size_t row_tile;     // rows of an activation tile
  std::size_t group_tiles;  // tiles that one task should have
  std::size_t (*panel_bytes)(std::size_t cols);
  // Packs `rows` <= row_tile rows of x, [rows, cols], into one activation tile; the tile's other rows stay as
  // they are.
  void (*quantize)(const float* x, std::size_t rows, std::size_t cols, std::byte* tile);
  void (*multiply)(const LinearTask& task);
};

// Of the numerics for code formats: kFast, or any other.
LinearKernels linear_plain(Numerics numerics);
LinearKernels linear_avx2(Numerics numerics);
LinearKernels linear_avx512(Numerics numerics);
LinearKernels linear_amx(Numerics numerics);

}  // namespace micius
