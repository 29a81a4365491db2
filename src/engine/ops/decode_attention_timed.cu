// The kernel of decode_attention.h for 64 dims and bulk copies with a stopwatch in every warp.
#include "engine/device/cuda_lanes.cuh"
#include "engine/device/launch.cuh"
#include "engine/gpu_attention_speed.h"
#include "engine/ops/decode_attention_kernel.h"

namespace micius {
namespace {

class TimedLanes : public CudaLanes {
 public:
  __device__ __forceinline__ TimedLanes(char* shared, GpuStamp* stamps)
      : CudaLanes(shared),
        stamps_(stamps + (blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32) * kDecodePhases) {}
  __device__ __forceinline__ void mark(unsigned phase) const {
    if (lane() != 0) return;
    asm volatile(
        "{\n.reg .u64 clock, time;\nmov.u64 clock, %%clock64;\nmov.u64 time, %%globaltimer;\n"
        "st.global.v2.u64 [%0], {clock, time};\n}" ::"l"(stamps_ + phase)
        : "memory");
  }

 private:
  GpuStamp* stamps_;
};

__global__ void __launch_bounds__(kDecodeThreads)
    timed_kernel(const __grid_constant__ DecodeArgs args, GpuStamp* stamps) {
  extern __shared__ __align__(1024) char shared[];
  TimedLanes lanes(shared, stamps);
  decode_attention<TimedLanes, BF16, BulkRing<TimedLanes>, 4, 4>(lanes, args);
}

}  // namespace

int launch_timed_decode(const DecodeArgs& args, std::uint32_t blocks, GpuStamp* stamps, void* stream) {
  const DecodeShared shared(args.layout, args.tuning, args.layout.column_tiles());
  return launch(timed_kernel, blocks, decode_threads(shared, args.tuning), shared.bytes, args.tuning.overlap,
                static_cast<cudaStream_t>(stream), args, stamps);
}

}  // namespace micius
