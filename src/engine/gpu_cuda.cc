#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "engine/gpu.h"

namespace micius {

GpuSurvey survey_gpus() {
  GpuSurvey survey;
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
    // CUDA says that a driver is too old where there is none at all.
    survey.problem = error == cudaErrorInsufficientDriver
                         ? fmt::format("no NVIDIA driver, or one too old for CUDA {}", CUDART_VERSION / 1000)
                         : cudaGetErrorString(error);
    return survey;
  }
  for (int device = 0; device < count; ++device) {
    cudaDeviceProp properties{};
    if (const cudaError_t error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess) {
      return {{}, cudaGetErrorString(error)};
    }
    survey.gpus.push_back({properties.name, properties.totalGlobalMem, properties.major, properties.minor});
  }
  if (survey.gpus.empty()) survey.problem = "no CUDA device";
  return survey;
}

}  // namespace micius
