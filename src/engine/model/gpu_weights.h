// The weights of a decoder in the memory of a GPU.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/device/device.h"
#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/model/weights.h"
#include "engine/ops/linear_gpu.h"

namespace micius {

// A linear's stack of matrices.
class GpuMatrix {
 public:
  GpuMatrix(std::span<const LinearPart> parts, Device& device, ThreadPool& pool);
  const TiledWeights& weights() const { return weights_; }
  std::size_t bytes() const { return tiles_.size() * sizeof(std::uint32_t); }

 private:
  DeviceArray<std::uint32_t> tiles_;
  TiledWeights weights_;
};

using GpuLayer = DecoderLayer<GpuMatrix, DeviceArray<float>>;

struct GpuWeights {
  std::vector<GpuLayer> layers;
  DeviceArray<float> final_norm;
  GpuMatrix head;                      // [vocabulary, hidden]
  std::optional<GpuMatrix> embedding;  // likewise; absent: it is the head

  const TiledWeights& embedding_rows() const { return (embedding ? *embedding : head).weights(); }
  // Of the matrices.
  std::size_t bytes() const {
    return head.bytes() + (embedding ? embedding->bytes() : 0) + matrix_bytes(layers);
  }
};

// As read_weights; besides throws Error{kUnsupported} for a width that no kernel is built for, Error{kIo}
// where the GPU has too little memory.
GpuWeights read_gpu_weights(const ModelSource& source, const ModelConfig& config, Device& device,
                            ThreadPool& pool);

}  // namespace micius
