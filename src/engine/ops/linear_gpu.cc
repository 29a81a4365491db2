#include "engine/ops/linear_gpu.h"

#include <algorithm>

#include "base/error.h"
#include "engine/ops/linear_pack.h"
#include "engine/quant.h"

namespace micius {
namespace {

constexpr std::uint32_t kRows = TiledWeights::kOutputs, kColumns = TiledWeights::kInputs;
constexpr std::uint32_t kBlocks = kColumns / CodeBlock::kValues;

// Where a weight is among a tile's fragments: in a block of 32 inputs.
struct Place {
  std::uint32_t lane, step, r, j;
};

Place place_of(std::uint32_t row, std::uint32_t column) {
  return {row % 8 * 4 + column / 8, column / 4 % 2, column / 2 % 2 * 2 + row / 8, column % 2};
}

void put_bf16_row(std::span<const float> values, std::uint32_t* row) {
  for (std::size_t column = 0; column < values.size(); ++column) {
    row[column / 2] |= std::uint32_t{f32_to_bf16(values[column])} << 16 * (column % 2);
  }
}

void put_code(TileFormat format, std::uint32_t block, const Place& at, std::uint8_t code,
              std::uint32_t* tile) {
  if (format == TileFormat::kQ8_0) {  // signed bytes
    const std::uint32_t byte = code ^ 0x80U;
    tile[block * 128 + at.lane * 4 + 2 * at.step + at.r / 2] |= byte << 8 * (at.r % 2 * 2 + at.j);
  } else {
    tile[at.lane * 4 + 2 * block + at.step] |= std::uint32_t{code} << (4 * at.r + 16 * at.j);
  }
}

void put_block(TileFormat format, const CodeBlock& codes, std::uint32_t row, std::uint32_t block,
               std::uint32_t* tile) {
  for (std::uint32_t i = 0; i < CodeBlock::kValues; ++i) {
    put_code(format, block, place_of(row, i), codes.codes[i], tile);
  }
  const std::uint32_t scale = f32_to_f16(codes.d[0]);
  std::uint32_t* const scales = tile + (format == TileFormat::kQ8_0 ? 256 : 128);
  if (format == TileFormat::kQ4_1) {
    scales[kRows * block + row] = scale | std::uint32_t{f32_to_f16(codes.m)} << 16;
  } else {
    scales[row] |= scale << 16 * block;
  }
}

// The rows of the parts, one below the other.
class StackedRows {
 public:
  explicit StackedRows(std::span<const LinearPart> parts) {
    for (const LinearPart& part : parts) {
      const MatrixView& weights = part.weights;
      if (weights.cols != parts.front().weights.cols) {
        fail(ErrorCode::kInvalidData, "parts of a linear have {} and {} columns", weights.cols,
             parts.front().weights.cols);
      }
      check_row_order(part);
      const std::size_t bytes = row_bytes(weights.dtype, weights.cols);
      for (std::size_t i = 0; i < weights.rows; ++i) {
        const std::size_t row = part.row_order.empty() ? i : part.row_order[i];
        rows_.push_back({weights.dtype, weights.data + row * bytes});
      }
    }
  }
  std::size_t size() const { return rows_.size(); }

  // Of one row, whose tiles begin at `tiles`.
  void put_codes(std::size_t row, std::size_t inputs, TileFormat format, std::uint32_t* tiles) const {
    for (std::size_t block = 0; block < inputs / CodeBlock::kValues; ++block) {
      put_block(format, read_codes(rows_[row].dtype, rows_[row].data, block),
                static_cast<std::uint32_t>(row % kRows), static_cast<std::uint32_t>(block % kBlocks),
                tiles + block / kBlocks * tile_words(format));
    }
  }
  void widen(std::size_t row, std::span<float> out) const {
    dequantize(rows_[row].dtype, rows_[row].data, out);
  }

 private:
  struct Row {
    DType dtype;
    const std::byte* data;
  };
  std::vector<Row> rows_;
};

}  // namespace

TileFormat tile_format(std::span<const LinearPart> parts) {
  const DType dtype = parts.front().weights.dtype;
  if (!std::all_of(parts.begin(), parts.end(),
                   [&](const LinearPart& p) { return p.weights.dtype == dtype; })) {
    return TileFormat::kBF16;
  }
  switch (dtype) {
    case DType::kQ8_0:
      return TileFormat::kQ8_0;
    case DType::kQ4_0:
      return TileFormat::kQ4_0;
    case DType::kQ4_1:
      return TileFormat::kQ4_1;
    default:
      return TileFormat::kBF16;
  }
}

std::vector<std::uint32_t> pack_tiles(std::span<const LinearPart> parts, TileFormat format,
                                      ThreadPool& pool) {
  const StackedRows rows(parts);
  const std::size_t inputs = parts.front().weights.cols;
  const TiledWeights shape{nullptr, format, static_cast<std::uint32_t>(rows.size()),
                           static_cast<std::uint32_t>(inputs)};
  const std::size_t words = shape.column_tiles() * tile_words(format);  // of 16 outputs
  std::vector<std::uint32_t> tiles(shape.row_tiles() * words);
  pool.parallel_for(shape.row_tiles(), 1, [&](std::size_t begin, std::size_t end) {
    std::vector<float> values(inputs);
    for (std::size_t i = begin * kRows; i < std::min(end * kRows, rows.size()); ++i) {
      if (format == TileFormat::kBF16) {
        rows.widen(i, values);
        put_bf16_row(values, tiles.data() + i * shape.row_words());
      } else {
        rows.put_codes(i, inputs, format, tiles.data() + i / kRows * words);
      }
    }
  });
  return tiles;
}

}  // namespace micius
