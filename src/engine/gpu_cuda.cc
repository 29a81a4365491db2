#include <cuda_runtime_api.h>

#include "engine/gpu.h"

namespace micius {

GpuSurvey survey_gpus() {
  GpuSurvey survey;
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
    survey.problem = cudaGetErrorString(error);
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
