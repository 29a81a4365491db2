#include "engine/device/cuda_lanes.cuh"
#include "engine/device/launch.cuh"
#include "engine/ops/attention_merge_kernel.h"
#include "engine/ops/prefill_attention_gpu.h"
#include "engine/ops/prefill_attention_kernel.h"

namespace micius {
namespace {

template <typename T, int kKTiles, int kVTiles>
__global__ void __launch_bounds__(32 * kPrefillWarps)
    prefill_kernel(const __grid_constant__ PrefillArgs args) {
  extern __shared__ __align__(1024) char shared[];
  CudaLanes lanes(shared);
  prefill_attention<CudaLanes, T, kKTiles, kVTiles>(lanes, args);
}

__global__ void __launch_bounds__(kMergeThreads)
    merge_kernel(const __grid_constant__ AttentionMergeArgs args) {
  CudaLanes lanes(nullptr);
  merge_attention(lanes, args);
}

template <typename T>
cudaError_t launch_for(const PrefillArgs& args, std::uint32_t blocks, const KernelStart& start) {
  cudaError_t error = cudaErrorInvalidValue;
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    error = launch(prefill_kernel<T, int{decltype(k)::value}, int{decltype(v)::value}>, blocks,
                   32 * args.tuning.warps, PrefillShared(args.layout).bytes, start.overlap,
                   static_cast<cudaStream_t>(start.stream), args);
  });
  return error;
}

}  // namespace

int launch_prefill_kernel(const PrefillArgs& args, std::uint32_t blocks, const KernelStart& start) {
  return args.layout.bf16 ? launch_for<BF16>(args, blocks, start) : launch_for<F16>(args, blocks, start);
}

int launch_merge_kernel(const AttentionMergeArgs& args, std::uint32_t rows, const KernelStart& start) {
  return launch(merge_kernel, rows, kMergeThreads, 0, start.overlap, static_cast<cudaStream_t>(start.stream),
                args);
}

}  // namespace micius
