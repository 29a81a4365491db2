// The lanes come first.
// clang-format off
#include "engine/ops/lanes_plain_internal.h"
#include "engine/ops/linear_floats_internal.h"
// clang-format on

namespace micius {
namespace {

constexpr std::size_t kBlockBytes = ActivationBlock{1}.bytes();

template <typename T>
T read(const std::byte* bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof value, sizeof value);
  return value;
}

template <typename T>
void write(std::byte* bytes, T value) {
  std::memcpy(bytes, &value, sizeof value);
}

// 2^e, the least power of two with |x| / 2^e <= 16256 for the block's largest |x|; never below 2^-100.
float block_scale(const float* x) {
  float largest = 0;
  for (std::size_t k = 0; k < kBlockCols; ++k)
    largest = std::fabs(x[k]) > largest ? std::fabs(x[k]) : largest;
  float scale = largest / 16256.0F;
  scale = scale > 0x1p-100F ? scale : 0x1p-100F;
  std::uint32_t bits;
  std::memcpy(&bits, &scale, 4);
  bits = (bits + 0x7fffff) & 0x7f800000;
  std::memcpy(&scale, &bits, 4);
  return scale;
}

void quantize(const float* x, std::size_t, std::size_t cols, std::byte* tile) {
  const ActivationBlock at{1};
  for (std::size_t b = 0; b < cols / kBlockCols; ++b, x += kBlockCols, tile += kBlockBytes) {
    const float scale = block_scale(x), inverse = 1.0F / scale;
    std::int32_t sums[2] = {};
    for (std::size_t k = 0; k < kBlockCols; ++k) {
      const auto q = static_cast<std::int32_t>(std::nearbyint(x[k] * inverse));
      write(tile + 2 * k, static_cast<std::int16_t>(q));
      sums[k / 16] += q;
    }
    write(tile + at.scale(), scale);
    write(tile + at.scaled_sum(), scale * static_cast<float>(sums[0] + sums[1]));
    write(tile + at.negative_sums(), -sums[0]);
    write(tile + at.negative_sums() + 4, -sums[1]);
  }
}

// Adds code * q over columns [begin, end) of one block to sums, one a row of the tile.
void add_products(const std::byte* codes, bool nibbles, const std::byte* q, std::size_t begin,
                  std::size_t end, std::int32_t* sums) {
  for (std::size_t k = begin; k < end; ++k) {
    const std::int32_t value = read<std::int16_t>(q, k);
    const std::size_t group = nibbles ? k / 4 % 4 : k / 4;
    const int shift = nibbles && k >= 16 ? 4 : 0, mask = nibbles ? 15 : 255;
    const std::byte* word = codes + group * 64 + k % 4;
    for (std::size_t r = 0; r < kTileRows; ++r) {
      sums[r] += (std::to_integer<std::int32_t>(word[r * 4]) >> shift & mask) * value;
    }
  }
}

Lanes to_lanes(const std::int32_t* sums) {
  return Lanes::each([&](int i) { return static_cast<float>(sums[i]); });
}

Lanes multiply_block(const PackedPart& part, const std::byte* weights, const std::byte* activation,
                     Lanes total) {
  const WeightFormat format = part.format;
  const bool nibbles = format < WeightFormat::kByte, halves = format == WeightFormat::kByteHalves;
  const bool f16 =
      format == WeightFormat::kNibble || format == WeightFormat::kNibbleMin || format == WeightFormat::kByte;
  const std::byte* scales = weights + (nibbles ? 256 : 512);
  const auto scale_at = [&](std::size_t i) {
    return f16 ? Lanes::load(reinterpret_cast<const std::uint16_t*>(scales + i * 32))
               : Lanes::load(reinterpret_cast<const float*>(scales + i * 64));
  };
  const ActivationBlock at{1};
  const Lanes unit = Lanes::broadcast(read<float>(activation + at.scale(), 0));
  for (std::size_t half = 0; half < (halves ? 2 : 1); ++half) {
    const std::int32_t negative = read<std::int32_t>(activation + at.negative_sums(), half) +
                                  (halves ? 0 : read<std::int32_t>(activation + at.negative_sums(), 1));
    std::int32_t sums[kTileRows];
    for (std::int32_t& sum : sums) sum = negative * part.zero;
    add_products(weights, nibbles, activation, half * 16, halves ? half * 16 + 16 : kBlockCols, sums);
    total = Lanes::fma(to_lanes(sums), scale_at(half) * unit, total);
  }
  if (part.zero != 0) return total;
  return Lanes::fma(scale_at(1), Lanes::broadcast(read<float>(activation + at.scaled_sum(), 0)), total);
}

void multiply(const LinearTask& task) {
  const PackedPart& part = task.part;
  if (!has_codes(part.format)) return multiply_floats<1, 1>(task);
  for (std::size_t row = task.row_begin; row < task.row_end; ++row) {
    for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile) {
      Lanes total = Lanes::zero();
      for (std::size_t b = 0; b < part.blocks(); ++b) {
        total = multiply_block(part, part.block(tile, b),
                               task.activations + (row * part.blocks() + b) * kBlockBytes, total);
      }
      total.store(task.y + row * task.y_stride + tile * kTileRows, outputs_of_tile(part, tile));
    }
  }
}

}  // namespace

LinearKernels linear_plain() {
  return {1, 4, [](std::size_t) { return std::size_t{0}; }, quantize, multiply};
}

}  // namespace micius
