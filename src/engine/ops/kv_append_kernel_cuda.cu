#include "engine/device/cuda_lanes.cuh"
#include "engine/device/launch.cuh"
#include "engine/ops/kv_append_gpu.h"
#include "engine/ops/kv_append_kernel.h"

namespace micius {
namespace {

template <typename T>
__global__ void __launch_bounds__(kAppendThreads) append_kernel(const __grid_constant__ KvAppendArgs args) {
  CudaLanes lanes(nullptr);
  kv_append<CudaLanes, T>(lanes, args);
}

__global__ void __launch_bounds__(kAppendThreads) copy_kernel(const __grid_constant__ KvCopyArgs args) {
  CudaLanes lanes(nullptr);
  kv_copy(lanes, args);
}

}  // namespace

int launch_kv_append_kernel(const KvAppendArgs& args, std::uint32_t tokens, const KernelStart& start) {
  return launch(args.layout.bf16 ? append_kernel<BF16> : append_kernel<F16>, tokens, kAppendThreads, 0,
                start.overlap, static_cast<cudaStream_t>(start.stream), args);
}

int launch_kv_copy_kernel(const KvCopyArgs& args, std::uint32_t copies, const KernelStart& start) {
  return launch(copy_kernel, kv_copy_blocks(args.layout, copies), kAppendThreads, 0, start.overlap,
                static_cast<cudaStream_t>(start.stream), args);
}

}  // namespace micius
