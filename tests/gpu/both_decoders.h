// A small model on the CPU and on a GPU.
#pragma once

#include <string>

#include "base/json.h"
#include "engine/device/device.h"
#include "engine/model/cpu_decoder.h"
#include "engine/model/gguf_source.h"
#include "engine/model/gpu_decoder.h"
#include "engine/op_fixture.h"

namespace micius {

// A model in GGUF with its matrices in another format: one that the GPU has, so that both sides have the same
// weights.
std::string converted(const ModelSource& source, DType dtype);

// Likewise the model of a line of the lists of models, in the line's format, else bf16.
std::string converted_family(const Json& row);

class BothDecoders {
 public:
  // Borrows the device.
  BothDecoders(std::string gguf, Numerics cpu, Numerics gpu, Device& device);

  const ModelSource& source() const { return source_; }
  const OpContext& context() const { return *fixture_; }
  Decoder& cpu() { return cpu_; }
  Decoder& gpu() { return gpu_; }

 private:
  OpFixture fixture_{best_isa()};
  std::string gguf_;
  GgufSource source_;
  ModelConfig config_;
  CpuDecoder cpu_;
  GpuDecoder gpu_;
};

// The worst difference of the GPU's logits, as a part of the CPU's largest.
double worst_part(std::span<const float> gpu, std::span<const float> cpu);

}  // namespace micius
