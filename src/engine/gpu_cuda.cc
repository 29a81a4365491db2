#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "engine/gpu.h"

namespace micius {
namespace {

constexpr int kLeastMajor = 8;  // of the compute capability

}  // namespace

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
    if (properties.major >= kLeastMajor) {
      survey.gpus.push_back(
          {device, properties.name, properties.totalGlobalMem, properties.major, properties.minor});
    } else {
      survey.problem = fmt::format("{} has compute capability {}.{}, and {}.0 is the least", properties.name,
                                   properties.major, properties.minor, kLeastMajor);
    }
  }
  if (!survey.gpus.empty()) survey.problem.clear();
  if (survey.gpus.empty() && survey.problem.empty()) survey.problem = "no CUDA device";
  return survey;
}

}  // namespace micius
