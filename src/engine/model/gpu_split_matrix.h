// Matrices of floats in the memory of a GPU whose matrix instructions multiply bf16 alone.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "engine/model/gpu_weights.h"

namespace micius {

// A linear's stack of matrices as the sum of two, which have 8 bits of a value each: what rounding to bf16
// leaves is the second. Of bf16 matrices there is none.
class GpuSplitMatrix {
 public:
  GpuSplitMatrix(std::span<const LinearPart> parts, Device& device, ThreadPool& pool);

  const TiledWeights& high() const { return high_.weights(); }
  const TiledWeights* low() const { return low_ ? &low_->weights() : nullptr; }
  std::size_t bytes() const { return high_.bytes() + (low_ ? low_->bytes() : 0); }

 private:
  GpuMatrix high_;
  std::optional<GpuMatrix> low_;
};

}  // namespace micius
