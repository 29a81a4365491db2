#include "engine/model/gpu_split_matrix.h"

#include <algorithm>
#include <vector>

#include "engine/quant.h"

namespace micius {
namespace {

// What rounding to bf16 leaves of each value.
std::vector<float> rests_of(const MatrixView& matrix) {
  std::vector<float> values(matrix.rows * matrix.cols);
  dequantize(matrix.dtype, matrix.data, values);
  for (float& value : values) value -= bf16_to_f32(f32_to_bf16(value));
  return values;
}

std::optional<GpuMatrix> low_of(std::span<const LinearPart> parts, Device& device, ThreadPool& pool) {
  const auto exact = [](const LinearPart& part) { return part.weights.dtype == DType::kBF16; };
  if (std::all_of(parts.begin(), parts.end(), exact)) return std::nullopt;
  std::vector<std::vector<float>> rests;
  std::vector<LinearPart> low(parts.begin(), parts.end());
  for (LinearPart& part : low) {
    rests.push_back(rests_of(part.weights));
    part.weights.dtype = DType::kF32;
    part.weights.data = reinterpret_cast<const std::byte*>(rests.back().data());
  }
  return GpuMatrix(low, device, pool);
}

}  // namespace

GpuSplitMatrix::GpuSplitMatrix(std::span<const LinearPart> parts, Device& device, ThreadPool& pool)
    : high_(parts, device, pool), low_(low_of(parts, device, pool)) {}

}  // namespace micius
