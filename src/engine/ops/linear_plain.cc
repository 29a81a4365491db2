// The lanes come first.
// clang-format off
#include "engine/ops/lanes_plain_internal.h"
#include "engine/ops/linear_codes_internal.h"
#include "engine/ops/linear_floats_internal.h"
// clang-format on

namespace micius {
namespace {

constexpr ActivationBlock kActivation{1};

float largest_of(const float* x) {
  float largest = 0;
  for (std::size_t k = 0; k < kBlockCols; ++k) {
    largest = std::fabs(x[k]) > largest ? std::fabs(x[k]) : largest;
  }
  return largest;
}

template <float (&kScale)(float)>
void quantize(const float* x, std::size_t, std::size_t cols, std::byte* tile) {
  for (std::size_t b = 0; b < cols / kBlockCols; ++b, x += kBlockCols, tile += kActivation.bytes()) {
    const float scale = kScale(largest_of(x)), inverse = 1.0F / scale;
    std::int32_t sums[2] = {};
    for (std::size_t k = 0; k < kBlockCols; ++k) {
      const auto q = static_cast<std::int16_t>(std::nearbyint(x[k] * inverse));
      std::memcpy(tile + 2 * k, &q, sizeof q);
      sums[k / 16] += q;
    }
    store_scale(kActivation, 0, scale, sums[0], sums[1], tile);
  }
}

// A task widens a tile into a panel once and runs its rows over it: for each block [32 k][16 rows] int16,
// then [2][16] float scales.
constexpr std::size_t kPanelCodes = kBlockCols * kTileRows * sizeof(std::int16_t);
constexpr std::size_t kPanelBlock = kPanelCodes + 2 * kTileRows * sizeof(float);

void unpack_panel(const PackedPart& part, std::size_t tile, std::byte* panel) {
  const bool sixes = part.format == WeightFormat::kSixHalves, nibbles = has_nibbles(part.format) || sixes;
  const std::uint32_t mask = nibbles ? 15 : 255;
  for (std::size_t b = 0; b < part.blocks(); ++b, panel += kPanelBlock) {
    const std::byte* block = part.block(tile, b);
    for (std::size_t k = 0; k < kBlockCols; ++k) {
      std::uint32_t words[kTileRows];  // of 4 neighbouring k each
      std::int16_t codes[kTileRows];
      std::memcpy(words, block + (nibbles ? k / 4 % 4 : k / 4) * sizeof words, sizeof words);
      const std::size_t shift = 8 * (k % 4) + (nibbles && k >= 16 ? 4 : 0);
      for (std::size_t r = 0; r < kTileRows; ++r) {
        codes[r] = static_cast<std::int16_t>(words[r] >> shift & mask);
      }
      if (sixes) {
        std::memcpy(words, block + 256 + k / 16 * sizeof words, sizeof words);
        const std::size_t pair = 8 * (k % 4) + k / 4 % 4 * 2;
        for (std::size_t r = 0; r < kTileRows; ++r)
          codes[r] = static_cast<std::int16_t>(codes[r] | (words[r] >> pair & 3) << 4);
      }
      std::memcpy(panel + k * sizeof codes, codes, sizeof codes);
    }
    for (std::size_t i = 0; i < (part.zero != 0 && has_half_scales(part.format) ? 1 : 2); ++i) {
      load_scale(part.format, block, i).store(reinterpret_cast<float*>(panel + kPanelCodes + 64 * i));
    }
  }
}

// Adds code * q over columns [begin, end) of one block to sums, one a row of the tile.
void add_products(const std::byte* panel, const std::byte* q, std::size_t begin, std::size_t end,
                  std::int32_t (&sums)[kTileRows]) {
  for (std::size_t k = begin; k < end; ++k) {
    const std::int16_t value = at<std::int16_t>(q, 0)[k];
    std::int16_t codes[kTileRows];
    std::memcpy(codes, panel + k * sizeof codes, sizeof codes);
#pragma GCC unroll 1
    for (std::size_t r = 0; r < kTileRows; ++r) sums[r] += codes[r] * value;
  }
}

Lanes to_lanes(const std::int32_t* sums) {
  return Lanes::each([&](int i) { return static_cast<float>(sums[i]); });
}

Lanes multiply_block(const PackedPart& part, const std::byte* panel, const std::byte* activation,
                     Lanes total) {
  const bool halves = part.format == WeightFormat::kSixHalves;
  const auto* scales = at<float>(panel, kPanelCodes);
  const auto* negative = at<std::int32_t>(activation, kActivation.negative_sums());
  const Lanes unit = Lanes::broadcast(*at<float>(activation, kActivation.scale()));
  for (std::size_t half = 0; half < (halves ? 2 : 1); ++half) {
    std::int32_t sums[kTileRows];
    for (std::int32_t& sum : sums) sum = (halves ? negative[half] : negative[0] + negative[1]) * part.zero;
    add_products(panel, activation, half * 16, halves ? half * 16 + 16 : kBlockCols, sums);
    total = Lanes::fma(to_lanes(sums), Lanes::load(scales + 16 * half) * unit, total);
  }
  if (part.zero != 0) return total;
  const Lanes scaled_sum = Lanes::broadcast(*at<float>(activation, kActivation.scaled_sum()));
  return Lanes::fma(Lanes::load(scales + 16), scaled_sum, total);
}

void multiply(const LinearTask& task) {
  const PackedPart& part = task.part;
  if (!has_codes(part.format)) return multiply_floats<1, 1>(task);
  for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile) {
    unpack_panel(part, tile, task.panel);
    for (std::size_t row = task.row_begin; row < task.row_end; ++row) {
      Lanes total = Lanes::zero();
      for (std::size_t b = 0; b < part.blocks(); ++b) {
        total = multiply_block(part, task.panel + b * kPanelBlock,
                               task.activations + (row * part.blocks() + b) * kActivation.bytes(), total);
      }
      total.store(task.y + row * task.y_stride + tile * kTileRows, outputs_of_tile(part, tile));
    }
  }
}

}  // namespace

LinearKernels linear_plain(Numerics numerics) {
  return {1, 4, [](std::size_t cols) { return cols / kBlockCols * kPanelBlock; },
          numerics == Numerics::kFast ? quantize<fast_scale> : quantize<block_scale>, multiply};
}

}  // namespace micius
