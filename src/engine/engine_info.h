// What is known of a loaded model.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "engine/cpu.h"

namespace micius {

class ModelSource;
class Decoder;
struct OpContext;

struct EngineInfo {
  std::string name;          // as the model file calls itself, or its file name
  std::string architecture;  // "llama"
  std::size_t context = 0;   // positions
  std::size_t vocabulary = 0;
  std::size_t parameters = 0;
  std::size_t file_bytes = 0, weight_bytes = 0;  // on disk; packed in memory
  Isa isa = Isa::kPlain;
  int threads = 0;
  std::optional<std::string> gpu;  // gpu_names() of those that have the model; absent: the CPU runs it
  std::size_t replicas = 1;        // as many GPUs have the model
  // That multiplies dense weights on them, "cuBLASLt 13.1.0"; absent: kernels of our own do.
  std::optional<std::string> matrix_library;
};

// As one text: "NVIDIA H100", "2 x NVIDIA H100, NVIDIA A100", in the order in which each comes first.
std::string gpu_names(std::span<const std::string> names);

EngineInfo engine_info(const ModelSource& source, const Decoder& decoder, const OpContext& context);

}  // namespace micius
