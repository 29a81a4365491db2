#include "engine/device/cuda_lanes.cuh"
#include "engine/device/launch.cuh"
#include "engine/ops/decode_attention_gpu.h"
#include "engine/ops/decode_attention_kernel.h"

namespace micius {
namespace {

constexpr int kWideThreads = 512;  // 128 registers each, for more than 64 dims

template <typename T, template <typename> typename Ring, int kKTiles, int kVTiles>
__global__ void __launch_bounds__(kVTiles > 4 ? kWideThreads : kDecodeThreads)
    decode_kernel(const __grid_constant__ DecodeArgs args) {
  extern __shared__ __align__(1024) char shared[];
  CudaLanes lanes(shared);
  decode_attention<CudaLanes, T, Ring<CudaLanes>, kKTiles, kVTiles>(lanes, args);
}

template <typename T, template <typename> typename Ring>
cudaError_t launch_for(const DecodeArgs& args, std::uint32_t blocks, cudaStream_t stream) {
  const DecodeShared shared(args.layout, args.tuning, args.layout.column_tiles());
  cudaError_t error = cudaErrorInvalidValue;
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    error = launch(decode_kernel<T, Ring, int{decltype(k)::value}, int{decltype(v)::value}>, blocks,
                   decode_threads(shared, args.tuning), shared.bytes, args.tuning.overlap, stream, args);
  });
  return error;
}

}  // namespace

// Errors leave as numbers: nvcc cannot check the format strings of messages.
int launch_decode_kernel(const DecodeArgs& args, std::uint32_t blocks, void* stream) {
  auto* const s = static_cast<cudaStream_t>(stream);
  if (args.layout.bf16) {
    return args.tuning.bulk ? launch_for<BF16, BulkRing>(args, blocks, s)
                            : launch_for<BF16, OwnRing>(args, blocks, s);
  }
  return args.tuning.bulk ? launch_for<F16, BulkRing>(args, blocks, s)
                          : launch_for<F16, OwnRing>(args, blocks, s);
}

}  // namespace micius
