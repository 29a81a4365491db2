#include "engine/device/cuda_lanes.cuh"
#include "engine/device/launch.cuh"
#include "engine/ops/selective_attention_gpu.h"
#include "engine/ops/selective_scores_kernel.h"
#include "engine/ops/selective_values_kernel.h"

namespace micius {
namespace {

template <typename T, int kKTiles>
__global__ void __launch_bounds__(32 * kScoreWarps) score_kernel(const __grid_constant__ SelectiveArgs args) {
  extern __shared__ __align__(1024) char shared[];
  CudaLanes lanes(shared);
  score_keys<CudaLanes, T, kKTiles>(lanes, args);
}

template <typename T, int kVTiles>
__global__ void __launch_bounds__(32 * kSelectWarps)
    select_kernel(const __grid_constant__ SelectiveArgs args) {
  extern __shared__ __align__(1024) char shared[];
  CudaLanes lanes(shared);
  select_values<CudaLanes, T, kVTiles>(lanes, args);
}

template <typename T>
cudaError_t launch_for(const SelectiveArgs& args, std::uint32_t chunks, std::uint32_t sequences,
                       const KernelStart& start) {
  auto* const stream = static_cast<cudaStream_t>(start.stream);
  const SelectShared shared(args.layout, args.top, args.most_parts);
  cudaError_t error = cudaErrorInvalidValue;
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    error = launch(score_kernel<T, int{decltype(k)::value}>, chunks * args.layout.n_k, 32 * kScoreWarps,
                   score_shared_bytes(args.layout), start.overlap, stream, args);
    if (error != cudaSuccess) return;
    error = launch(select_kernel<T, int{decltype(v)::value}>, sequences * args.layout.n_q, 32 * kSelectWarps,
                   shared.bytes, start.overlap, stream, args);
  });
  return error;
}

}  // namespace

int launch_selective_kernels(const SelectiveArgs& args, std::uint32_t chunks, std::uint32_t sequences,
                             const KernelStart& start) {
  return args.layout.bf16 ? launch_for<BF16>(args, chunks, sequences, start)
                          : launch_for<F16>(args, chunks, sequences, start);
}

}  // namespace micius
