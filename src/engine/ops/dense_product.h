// Linears of many rows and dense weights, as matrix libraries take them: both are bf16 in whole rows.
//
// Own kernels read the weights once for each 64 rows and multiply both planes of the inputs meanwhile; a
// library reads them once for each plane, and multiplies faster. So those with more rows are the library's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/ops/linear_end.h"

namespace micius {

inline constexpr std::uint32_t kMostOwnRows = 64;

// How the inputs of a linear are to lie.
constexpr RunOrder run_order(const TiledWeights& weights, std::uint32_t rows) {
  const bool is_dense = weights.format == TileFormat::kBF16 && rows > kMostOwnRows;
  return is_dense ? RunOrder::kByRow : RunOrder::kByBlock;
}

// Whether it is a sum of the products below: whatever the number of rows.
constexpr bool has_products(const LinearArgs& args) {
  return args.weights.format == TileFormat::kBF16 && args.x.order == RunOrder::kByRow &&
         args.result != LinearResult::kSummaries;
}

// One plane of the inputs times the weights, with matrices by columns as BLAS has them:
// d = a^T b + beta d, and `bias` added to each column.
struct MatrixProduct {
  const std::uint32_t* a = nullptr;  // k x m, bf16, columns side by side: the weights
  const std::uint32_t* b = nullptr;  // k x n, likewise: the inputs
  float* d = nullptr;                // m x n, columns side by side
  const float* bias = nullptr;       // [m]; null: none
  std::uint32_t m = 0, n = 0, k = 0;
  float beta = 0;  // or 1
};

// To be calculated in the order of the planes.
constexpr MatrixProduct plane_product(const LinearArgs& args, std::uint32_t plane) {
  const bool first = plane == 0;
  return {.a = args.weights.tiles,
          .b = args.x.values + args.x.word(plane, 0, 0),
          .d = args.y,
          .bias = first ? args.bias : nullptr,
          .m = args.weights.outputs,
          .n = args.x.rows,
          .k = 2 * args.weights.row_words(),
          .beta = first && args.result == LinearResult::kStore ? 0.0F : 1.0F};
}

}  // namespace micius
