// Linear layers with float weights over Lanes; a lanes header comes first.
#pragma once

#include "engine/ops/linear_internal.h"

namespace micius {
namespace {

template <WeightFormat kFormat>
Lanes load_weights(const std::byte* block, std::size_t k) {
  if constexpr (kFormat == WeightFormat::kF32) {
    return Lanes::load(reinterpret_cast<const float*>(block) + k * kTileRows);
  } else if constexpr (kFormat == WeightFormat::kF16) {
    return Lanes::load(reinterpret_cast<const std::uint16_t*>(block) + k * kTileRows);
  } else {
    return Lanes::load_bf16(reinterpret_cast<const std::uint16_t*>(block) + k * kTileRows);
  }
}

inline std::size_t outputs_of_tile(const PackedPart& part, std::size_t tile) {
  const std::size_t left = part.outputs - tile * kTileRows;
  return left < kTileRows ? left : kTileRows;
}

// kRows rows times kTiles tiles. Each block is summed from 0 in the order of k, then added to the sum of the
// blocks before it.
template <WeightFormat kFormat, int kRows, int kTiles>
void multiply_floats(const LinearTask& task, std::size_t tile, std::size_t row) {
  const PackedPart& part = task.part;
  Lanes total[kRows][kTiles];
  for (auto& of_row : total) {
    for (Lanes& lanes : of_row) lanes = Lanes::zero();
  }
  for (std::size_t b = 0; b < part.blocks(); ++b) {
    const std::size_t first = b * kBlockCols;
    const std::size_t count = part.cols - first < kBlockCols ? part.cols - first : kBlockCols;
    const float* x = task.x + row * part.cols + first;
    const std::byte* weights = part.block(tile, b);
    const std::size_t tile_stride = part.blocks() * block_bytes(kFormat);
    Lanes sum[kRows][kTiles];
    for (auto& of_row : sum) {
      for (Lanes& lanes : of_row) lanes = Lanes::zero();
    }
    for (std::size_t k = 0; k < count; ++k) {
      Lanes w[kTiles];
      for (int t = 0; t < kTiles; ++t) w[t] = load_weights<kFormat>(weights + t * tile_stride, k);
      for (int r = 0; r < kRows; ++r) {
        const Lanes value = Lanes::broadcast(x[r * part.cols + k]);
        for (int t = 0; t < kTiles; ++t) sum[r][t] = Lanes::fma(w[t], value, sum[r][t]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int t = 0; t < kTiles; ++t) total[r][t] = total[r][t] + sum[r][t];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTiles; ++t) {
      float* y = task.y + (row + r) * task.y_stride + (tile + t) * kTileRows;
      total[r][t].store(y, outputs_of_tile(part, tile + t));
    }
  }
}

template <WeightFormat kFormat, int kRows, int kTiles>
void multiply_float_tiles(const LinearTask& task, std::size_t tile) {
  std::size_t row = task.row_begin;
  for (; row + kRows <= task.row_end; row += kRows) multiply_floats<kFormat, kRows, kTiles>(task, tile, row);
  for (; row < task.row_end; ++row) multiply_floats<kFormat, 1, kTiles>(task, tile, row);
}

template <WeightFormat kFormat, int kRows, int kTiles>
void multiply_float_task(const LinearTask& task) {
  std::size_t tile = task.tile_begin;
  for (; tile + kTiles <= task.tile_end; tile += kTiles)
    multiply_float_tiles<kFormat, kRows, kTiles>(task, tile);
  for (; tile < task.tile_end; ++tile) multiply_float_tiles<kFormat, kRows, 1>(task, tile);
}

template <int kRows, int kTiles>
void multiply_floats(const LinearTask& task) {
  switch (task.part.format) {
    case WeightFormat::kF32:
      return multiply_float_task<WeightFormat::kF32, kRows, kTiles>(task);
    case WeightFormat::kF16:
      return multiply_float_task<WeightFormat::kF16, kRows, kTiles>(task);
    default:
      return multiply_float_task<WeightFormat::kBF16, kRows, kTiles>(task);
  }
}

}  // namespace
}  // namespace micius
