// The kernels for AMX where there is no AMX: over a model of its tiles, bit for bit against the plain
// kernels.
#include <algorithm>
#include <cstring>

#include <catch2/catch.hpp>

#include "engine/modelled_tiles.h"
#include "engine/op_fixture.h"
#include "engine/ops/linear_pack.h"

namespace micius {
namespace {

std::vector<float> multiply(const LinearKernels& kernels, const PackedPart& part, std::span<const float> x) {
  const std::size_t rows = x.size() / part.cols, tile = kernels.row_tile;
  const std::size_t tile_bytes = ActivationBlock{tile}.bytes() * part.blocks();
  std::vector<std::byte> activations((rows + tile - 1) / tile * tile_bytes),
      panel(kernels.panel_bytes(part.cols));
  for (std::size_t row = 0; row < rows; row += tile) {
    kernels.quantize(x.data() + row * part.cols, std::min(tile, rows - row), part.cols,
                     activations.data() + row / tile * tile_bytes);
  }
  std::vector<float> y(rows * part.outputs, -77.0F);
  for (std::size_t first = 0; first < part.tiles(); first += kernels.group_tiles) {
    kernels.multiply({part,
                      first,
                      std::min(first + kernels.group_tiles, part.tiles()),
                      0,
                      rows,
                      x.data(),
                      activations.data(),
                      y.data(),
                      part.outputs,
                      {},
                      panel.data()});
  }
  return y;
}

TEST_CASE("tile registers give the bits of the plain kernels") {
  if (best_isa() < Isa::kAvx512) {
    WARN("skipped: this machine has no AVX-512");
    return;
  }
  const std::size_t outputs = 85, most = 37;
  const OpFixture context(Isa::kPlain);
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ8_0,
                            DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
    for (const std::size_t cols :
         {32, 256, 800, 1024}) {  // one block; one pass; one over; passes of two sizes
      if (cols % block_shape(dtype).values != 0) continue;
      const RandomMatrix w(dtype, outputs, cols, "tiles/w");
      Arena memory;
      const PackedPart part = pack_linear(w, Numerics::kPrecise, 0, memory, (*context).pool);
      std::vector<float> x = random_floats(most * cols, "tiles/x");
      for (std::size_t row = 0; row < most; ++row) x[row * cols + 13] *= 40;  // an outlier channel
      std::fill_n(x.begin() + 3 * cols, 32, 0.0F);
      for (const std::size_t rows : {1, 4, 5, 8, 9, 16, 17, 24, 37}) {
        for (const Numerics numerics : {Numerics::kPrecise, Numerics::kFast}) {
          INFO(dtype_name(dtype) << " columns " << cols << " rows " << rows);
          const std::span<const float> some = std::span(x).first(rows * cols);
          const std::vector<float> tiles = multiply(modelled_tile_kernels(numerics), part, some);
          const std::vector<float> plain = multiply(linear_plain(numerics), part, some);
          CHECK(std::memcmp(tiles.data(), plain.data(), plain.size() * sizeof(float)) == 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace micius
