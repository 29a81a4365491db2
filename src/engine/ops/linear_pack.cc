#include "engine/ops/linear_pack.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "engine/quant.h"

namespace micius {
namespace {

constexpr std::uint16_t kTinyHalf = 1;  // 2^-24
constexpr float kTiny = 0x1p-24F;

WeightFormat format_of(DType dtype, Numerics numerics) {
  if (dtype == DType::kF16) return WeightFormat::kF16;
  if (dtype == DType::kBF16) return WeightFormat::kBF16;
  if (numerics == Numerics::kFp32) return WeightFormat::kF32;
  switch (dtype) {
    case DType::kQ4_0:
      return WeightFormat::kNibble;
    case DType::kQ4_1:
      return WeightFormat::kNibbleMin;
    case DType::kQ4_K:
      return WeightFormat::kNibbleMinF32;
    case DType::kQ8_0:
    case DType::kQ5_0:
      return WeightFormat::kByte;
    case DType::kQ5_1:
    case DType::kQ5_K:
      return WeightFormat::kByteMinF32;
    case DType::kQ6_K:
      return WeightFormat::kSixHalves;
    default:
      return WeightFormat::kF32;
  }
}

const std::byte* source_row(const LinearPart& part, std::size_t row) {
  const std::size_t source = part.row_order.empty() ? row : part.row_order[row];
  return part.weights.data + source * row_bytes(part.weights.dtype, part.weights.cols);
}

template <typename T>
void put(std::byte* at, std::size_t index, T value) {
  std::memcpy(at + index * sizeof value, &value, sizeof value);
}

void put_scales(WeightFormat format, const CodeBlock& block, std::size_t row, std::byte* scales) {
  switch (format) {
    case WeightFormat::kNibbleMin:
      put(scales + 32, row, f32_to_f16(block.m));
      [[fallthrough]];
    case WeightFormat::kNibble:
    case WeightFormat::kByte:
      put(scales, row, block.d[0] == 0 ? kTinyHalf : f32_to_f16(block.d[0]));
      return;
    case WeightFormat::kSixHalves:
      put(scales, row, block.unit == 0 ? kTinyHalf : f32_to_f16(block.unit));
      for (std::size_t half = 0; half < 2; ++half)
        put(scales + 32 + 16 * half, row, block.d[half] == 0 ? std::int8_t{1} : block.steps[half]);
      return;
    default:
      put(scales, row, block.d[0] == 0 ? kTiny : block.d[0]);
      put(scales + 64, row, block.m);
  }
}

// Four neighbouring columns of a row lie together; a nibble has column k below column k + 16.
void put_codes(WeightFormat format, int zero, const CodeBlock& block, std::size_t row, std::byte* out) {
  std::array<std::uint8_t, kBlockCols> codes = block.codes;
  for (std::size_t half = 0; half < 2; ++half) {
    if (block.d[half] == 0) std::fill_n(codes.begin() + 16 * half, 16, static_cast<std::uint8_t>(zero));
  }
  const auto four = [&](std::size_t k, std::uint32_t mask) {
    std::uint32_t value;
    std::memcpy(&value, &codes[k], sizeof value);
    return value & mask;
  };
  if (code_bytes(format) == 512) {
    for (std::size_t g = 0; g < 8; ++g) put(out + g * 64, row, four(4 * g, 0xffffffff));
    return;
  }
  constexpr std::uint32_t kLow = 0x0f0f0f0f, kHigh = 0x30303030;
  for (std::size_t g = 0; g < 4; ++g) put(out + g * 64, row, four(4 * g, kLow) | four(4 * g + 16, kLow) << 4);
  if (has_nibbles(format)) return;
  for (std::size_t i = 0; i < 2; ++i) {
    std::uint32_t pairs = 0;
    for (std::size_t j = 0; j < 4; ++j) pairs |= four(16 * i + 4 * j, kHigh) >> 4 << 2 * j;
    put(out + 256 + i * 64, row, pairs);
  }
}

void pack_codes(const LinearPart& part, PackedPart& packed, std::size_t tile) {
  for (std::size_t r = 0; r < kTileRows; ++r) {
    const std::size_t row = tile * kTileRows + r;
    for (std::size_t b = 0; b < packed.blocks(); ++b) {
      const CodeBlock block =
          row < packed.outputs ? read_codes(part.weights.dtype, source_row(part, row), b) : CodeBlock{};
      std::byte* out = packed.data + (tile * packed.blocks() + b) * block_bytes(packed.format);
      put_codes(packed.format, packed.zero, block, r, out);
      put_scales(packed.format, block, r, out + code_bytes(packed.format));
    }
  }
}

void pack_floats(const LinearPart& part, PackedPart& packed, std::size_t tile) {
  const DType dtype = part.weights.dtype;
  std::vector<float> values(packed.format == WeightFormat::kF32 ? packed.cols : 0);
  std::byte* out = packed.data + tile * packed.blocks() * block_bytes(packed.format);
  for (std::size_t r = 0; r < kTileRows && tile * kTileRows + r < packed.outputs; ++r) {
    const std::byte* source = source_row(part, tile * kTileRows + r);
    if (packed.format == WeightFormat::kF32) {
      dequantize(dtype, source, values);
      for (std::size_t k = 0; k < packed.cols; ++k) put(out, k * kTileRows + r, values[k]);
    } else {
      for (std::size_t k = 0; k < packed.cols; ++k)
        std::memcpy(out + (k * kTileRows + r) * 2, source + k * 2, 2);
    }
  }
}

template <typename T>
T get(const std::byte* at, std::size_t index) {
  T value;
  std::memcpy(&value, at + index * sizeof value, sizeof value);
  return value;
}

// What put_codes() and put_scales() wrote.
CodeBlock get_block(WeightFormat format, const std::byte* bytes, std::size_t row) {
  CodeBlock block;
  const bool sixes = format == WeightFormat::kSixHalves, nibbles = has_nibbles(format) || sixes;
  for (std::size_t k = 0; k < kBlockCols; ++k) {
    const std::size_t group = k / 4, place = 4 * row + k % 4;
    unsigned code = get<std::uint8_t>(bytes + (nibbles ? group % 4 : group) * 64, place);
    if (nibbles) code = group < 4 ? code & 15 : code >> 4;
    if (sixes) code |= (get<std::uint8_t>(bytes + 256 + group / 4 * 64, place) >> group % 4 * 2 & 3U) << 4;
    block.codes[k] = static_cast<std::uint8_t>(code);
  }
  const std::byte* scales = bytes + code_bytes(format);
  if (sixes) {
    const float unit = f16_to_f32(get<std::uint16_t>(scales, row));
    for (std::size_t half = 0; half < 2; ++half)
      block.d[half] = unit * static_cast<float>(get<std::int8_t>(scales + 32 + 16 * half, row));
  } else if (has_half_scales(format)) {
    block.d[0] = block.d[1] = f16_to_f32(get<std::uint16_t>(scales, row));
    if (format == WeightFormat::kNibbleMin) block.m = f16_to_f32(get<std::uint16_t>(scales + 32, row));
  } else {
    block.d[0] = block.d[1] = get<float>(scales, row);
    block.m = get<float>(scales + 64, row);
  }
  return block;
}

}  // namespace

void check_row_order(const LinearPart& part) {
  if (part.row_order.empty() || part.row_order.size() == part.weights.rows) return;
  fail(ErrorCode::kInvalidData, "a matrix of {} rows has an order of {} rows", part.weights.rows,
       part.row_order.size());
}

PackedPart pack_linear(const LinearPart& part, Numerics numerics, std::size_t first_output, Arena& memory,
                       ThreadPool& pool) {
  const MatrixView& weights = part.weights;
  check_row_order(part);
  PackedPart packed{format_of(weights.dtype, numerics), 0, first_output, weights.rows, weights.cols, {}};
  if (has_codes(packed.format)) packed.zero = zero_code(weights.dtype);
  row_bytes(weights.dtype, weights.cols);  // whole blocks or an error
  packed.data = memory.take(packed.bytes());
  pool.parallel_for(packed.tiles(), 4, [&](std::size_t begin, std::size_t end) {
    for (std::size_t tile = begin; tile < end; ++tile) {
      has_codes(packed.format) ? pack_codes(part, packed, tile) : pack_floats(part, packed, tile);
    }
  });
  return packed;
}

void unpack_row(const PackedPart& part, std::size_t row, std::span<float> out) {
  const std::size_t tile = row / kTileRows, r = row % kTileRows;
  if (!has_codes(part.format)) {
    const std::byte* values = part.block(tile, 0);
    for (std::size_t k = 0; k < part.cols; ++k) {
      const std::size_t at = k * kTileRows + r;
      out[k] = part.format == WeightFormat::kF32   ? get<float>(values, at)
               : part.format == WeightFormat::kF16 ? f16_to_f32(get<std::uint16_t>(values, at))
                                                   : bf16_to_f32(get<std::uint16_t>(values, at));
    }
    return;
  }
  for (std::size_t b = 0; b < part.blocks(); ++b)
    widen(get_block(part.format, part.block(tile, b), r), part.zero, out.subspan(b * kBlockCols, kBlockCols));
}

}  // namespace micius
