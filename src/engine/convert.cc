#include "engine/convert.h"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/gguf_writer.h"
#include "engine/ops/linear.h"
#include "engine/quant.h"
#include "engine/quantize.h"

namespace micius {
namespace {

constexpr DType kWritten[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ8_0,
                              DType::kQ6_K, DType::kQ4_K, DType::kQ4_1, DType::kQ4_0};
constexpr std::size_t kGrain = 16;  // rows worth a thread

bool fits(DType dtype, std::size_t cols) { return cols % block_shape(dtype).values == 0; }

DType written_type(DType wanted, std::size_t cols, bool is_head) {
  const bool four_bits = wanted == DType::kQ4_0 || wanted == DType::kQ4_1 || wanted == DType::kQ4_K;
  if (is_head && four_bits) wanted = DType::kQ6_K;
  if (!fits(wanted, cols) && wanted == DType::kQ4_K) wanted = DType::kQ4_1;
  if (!fits(wanted, cols) && wanted == DType::kQ6_K) wanted = DType::kQ8_0;
  return fits(wanted, cols) ? wanted : DType::kF16;
}

class Converter {
 public:
  Converter(const ModelSource& source, std::optional<DType> dtype, ThreadPool& pool)
      : source_(source), config_(config_from(source)), dtype_(dtype), pool_(pool) {}

  void write(const ByteSink& sink) const {
    GgufWriter writer;
    source_.describe(writer);
    for (const auto& [name, view] : source_.tensors()) add(writer, name, view);
    writer.write(sink);
  }

 private:
  void add(GgufWriter& writer, const std::string& name, const MatrixView& view) const {
    const bool is_vector = view.rows == 1;
    const bool is_head = name == "output.weight" || (config_.tied_head && name == "token_embd.weight");
    const DType dtype = is_vector ? DType::kF32
                        : dtype_  ? written_type(*dtype_, view.cols, is_head)
                                  : view.dtype;
    std::vector<std::uint64_t> dimensions{view.cols};
    if (!is_vector) dimensions.push_back(view.rows);
    writer.tensor(name, dtype, dimensions, view.rows * row_bytes(dtype, view.cols),
                  [this, name, view, dtype](std::span<std::byte> out) { fill(name, view, dtype, out); });
  }

  void fill(const std::string& name, const MatrixView& view, DType dtype, std::span<std::byte> out) const {
    const std::vector<std::uint32_t> order = row_order(name, view.rows);
    const std::size_t from = row_bytes(view.dtype, view.cols), to = row_bytes(dtype, view.cols);
    pool_.parallel_for(view.rows, kGrain, [&](std::size_t begin, std::size_t end) {
      std::vector<float> values(view.cols);
      for (std::size_t row = begin; row < end; ++row) {
        std::byte* target = &out[(order.empty() ? row : order[row]) * to];
        if (dtype == view.dtype) {
          std::memcpy(target, view.data + row * from, from);
          continue;
        }
        dequantize(view.dtype, view.data + row * from, values);
        check(name, row, values);
        quantize(dtype, values, target);
      }
    });
  }

  // Where the rows of a tensor stand in the file, if not in their order: GGUF's `llama` has q and k for RoPE
  // on neighbours.
  std::vector<std::uint32_t> row_order(const std::string& name, std::size_t rows) const {
    if (config_.architecture != "llama" || source_.qk_rows() == QkRows::kInterleaved) return {};
    if (!name.ends_with("attn_q.weight") && !name.ends_with("attn_k.weight")) return {};
    return half_split_order(rows / config_.d_q, config_.d_q);
  }

  void check(const std::string& name, std::size_t row, const std::vector<float>& values) const {
    for (const float value : values) {
      if (std::isfinite(value)) continue;
      fail(ErrorCode::kInvalidData, "{}: tensor '{}', row {}: a value is not finite; get the model again",
           source_.file(), source_.tensor_name(name), row);
    }
  }

  const ModelSource& source_;
  ModelConfig config_;
  std::optional<DType> dtype_;
  ThreadPool& pool_;
};

}  // namespace

void write_gguf(const ModelSource& source, std::optional<DType> dtype, ThreadPool& pool,
                const ByteSink& sink) {
  Converter(source, dtype, pool).write(sink);
}

DType dtype_from(std::string_view name) {
  std::string names;
  for (const DType dtype : kWritten) {
    if (name == dtype_name(dtype)) return dtype;
    names.append(names.empty() ? "" : ", ").append(dtype_name(dtype));
  }
  fail(ErrorCode::kUsage, "unknown type '{}'; there are {}", name, names);
}

}  // namespace micius
