// Weights of a linear for a GPU: tiles of 16 outputs x 64 inputs for matrix instructions m16n8k16.
//
// A sum does not depend on the order of its terms, so the inputs of a tile are dealt out among lanes as is
// best for reading them: in a block of 32 inputs, lane l has those from 8 (l % 4) on; value j of register r
// in step s is 8 (l % 4) + 4 s + 2 (r / 2) + j, of output l / 4 + 8 (r % 2).
//
// Q8_0, Q4_0 and Q4_1 stay what they are, to the bit: their codes are exact in bf16, and a block's sum is
// scaled in fp32. A tile is what the lanes of a warp hold, in the order in which they read it: one
// contiguous run, and so are the tiles of 16 outputs.
//
// Other formats become bf16, in whole rows: what a lane has of a row's block is 16 contiguous bytes there
// too, and matrix libraries take rows as they are (MatrixProduct).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/linear.h"

namespace micius {

enum class TileFormat : std::uint32_t { kBF16, kQ8_0, kQ4_0, kQ4_1 };

struct TiledWeights {
  static constexpr std::uint32_t kOutputs = 16, kInputs = 64;  // of a tile

  // [row_tiles()][column_tiles()][tile_words(format)]; kBF16: [row_tiles() * 16][row_words()], two a word
  const std::uint32_t* tiles = nullptr;
  TileFormat format = TileFormat::kBF16;
  std::uint32_t outputs = 0, inputs = 0;  // what is behind them in the last tiles is zeros

  constexpr std::uint32_t row_tiles() const { return (outputs + kOutputs - 1) / kOutputs; }
  constexpr std::uint32_t column_tiles() const { return (inputs + kInputs - 1) / kInputs; }
  constexpr std::uint32_t row_words() const { return column_tiles() * kInputs / 2; }  // of kBF16
  bool operator==(const TiledWeights&) const = default;
};

constexpr std::uint32_t tile_words(TileFormat format) {
  switch (format) {
    case TileFormat::kQ8_0:
      return 256 + 16;  // codes, scales
    case TileFormat::kQ4_0:
      return 128 + 16;
    case TileFormat::kQ4_1:
      return 128 + 32;  // codes, scales with minima
    default:
      return 512;
  }
}

// The parts' own format where all have it and it is one of the above, else bf16.
TileFormat tile_format(std::span<const LinearPart> parts);

// The parts stacked by rows, for TiledWeights of their numbers of outputs and inputs. Throws
// Error{kInvalidData} for parts that do not fit together.
std::vector<std::uint32_t> pack_tiles(std::span<const LinearPart> parts, TileFormat format, ThreadPool& pool);

}  // namespace micius
