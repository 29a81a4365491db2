// A plain read of memory, to hold other reads against.
#include <cstddef>
#include <cstdint>

#include <cuda_runtime.h>

namespace micius {
namespace {

constexpr int kLoads = 4;  // of a thread under way

__global__ void read_kernel(const uint4* data, std::size_t count, std::uint32_t* sums) {
  std::uint32_t sum = 0;
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t at = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; at < count;
       at += kLoads * stride) {
    uint4 values[kLoads];
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      values[i] = at + i * stride < count ? __ldcs(data + at + i * stride) : make_uint4(0, 0, 0, 0);
    }
#pragma unroll
    for (int i = 0; i < kLoads; ++i) sum += values[i].x ^ values[i].y ^ values[i].z ^ values[i].w;
  }
  if (sum == 0x12345678U) *sums = sum;  // so that the loads are not left out
}

}  // namespace

int launch_read_kernel(const void* data, std::size_t bytes, std::uint32_t* sums, std::uint32_t blocks,
                       void* stream) {
  read_kernel<<<blocks, 256, 0, static_cast<cudaStream_t>(stream)>>>(static_cast<const uint4*>(data),
                                                                     bytes / 16, sums);
  return cudaGetLastError();
}

}  // namespace micius
