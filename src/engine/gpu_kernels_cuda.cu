// The kernels of rows, one template for all.
#include <type_traits>
#include <variant>

#include "engine/device/cuda_lanes.cuh"
#include "engine/device/kernels.h"

namespace micius {
namespace {

constexpr int kMostThreads = 256;

template <typename Code>
__global__ void __launch_bounds__(kMostThreads) row_kernel(const __grid_constant__ Code code) {
  extern __shared__ __align__(1024) char shared[];
  CudaLanes lanes(shared);
  code(lanes);
}

}  // namespace

// Errors leave as numbers: nvcc cannot check the format strings of messages.
int launch_row_kernel(const RowKernel& kernel, void* stream) {
  const auto start = [stream](const auto& code) {
    const LaunchShape shape = code.shape();
    if (shape.blocks == 0) return;
    row_kernel<std::decay_t<decltype(code)>>
        <<<shape.blocks, shape.threads, shape.shared_bytes, static_cast<cudaStream_t>(stream)>>>(code);
  };
  std::visit([&](const auto& of_rows) { with_code(of_rows, start); }, kernel);
  return cudaGetLastError();
}

}  // namespace micius
