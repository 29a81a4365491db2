// The GPUs that a build with MICIUS_CUDA sees and has kernels for: of compute capability 8.0 and above.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace micius {

struct Gpu {
  int index = 0;  // CUDA's
  std::string name;
  std::uint64_t memory_bytes = 0;
  int major = 0, minor = 0;  // compute capability
};

struct GpuSurvey {
  std::vector<Gpu> gpus;
  std::string problem;  // why there are none, and what to do; "" where there are some
  bool built = true;    // with CUDA
};

GpuSurvey survey_gpus();
// At least one; throws Error{kUnsupported}, saying why, where there is none.
std::vector<Gpu> usable_gpus();

// The library that multiplies dense weights on GPUs, as this machine has it: "cuBLASLt 13.1.0". Absent where
// there is none, and kernels of our own do.
std::optional<std::string> matrix_library_name();

}  // namespace micius
