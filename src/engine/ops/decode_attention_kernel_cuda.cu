#include <cuda_runtime.h>

#include "engine/device/cuda_lanes.cuh"
#include "engine/ops/decode_attention_gpu.h"
#include "engine/ops/decode_attention_kernel.h"

namespace micius {
namespace {

template <typename T, template <typename> typename Ring, int kKTiles, int kVTiles>
__global__ void __launch_bounds__(kDecodeThreads) decode_kernel(const __grid_constant__ DecodeArgs args) {
  extern __shared__ __align__(1024) char shared[];
  CudaLanes lanes(shared);
  decode_attention<CudaLanes, T, Ring<CudaLanes>, kKTiles, kVTiles>(lanes, args);
}

template <typename T, template <typename> typename Ring>
cudaError_t launch(const DecodeArgs& args, std::uint32_t blocks, cudaStream_t stream) {
  const DecodeShared shared(args.layout, args.tuning, args.layout.column_tiles());
  cudaError_t error = cudaErrorInvalidValue;
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    auto* const kernel = decode_kernel<T, Ring, int{decltype(k)::value}, int{decltype(v)::value}>;
    error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(shared.bytes));
    if (error != cudaSuccess) return;
    cudaLaunchAttribute overlap{};
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = blocks;
    config.blockDim = decode_threads(shared, args.tuning);
    config.dynamicSmemBytes = shared.bytes;
    config.stream = stream;
    config.attrs = &overlap;
    config.numAttrs = args.tuning.overlap ? 1 : 0;
    error = cudaLaunchKernelEx(&config, kernel, args);
  });
  return error;
}

}  // namespace

// Errors leave as numbers: nvcc cannot check the format strings of messages.
int launch_decode_kernel(const DecodeArgs& args, std::uint32_t blocks, void* stream) {
  auto* const s = static_cast<cudaStream_t>(stream);
  if (args.layout.bf16) {
    return args.tuning.bulk ? launch<BF16, BulkRing>(args, blocks, s)
                            : launch<BF16, OwnRing>(args, blocks, s);
  }
  return args.tuning.bulk ? launch<F16, BulkRing>(args, blocks, s) : launch<F16, OwnRing>(args, blocks, s);
}

}  // namespace micius
