// Memory of a GPU, and CUDA's errors as ours.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <cuda_runtime_api.h>

#include "base/error.h"

namespace micius {

inline void check_cuda(cudaError_t error, const char* what) {
  if (error != cudaSuccess) fail(ErrorCode::kIo, "CUDA, {}: {}", what, cudaGetErrorString(error));
}

// An array in the memory of the current GPU.
template <typename T>
class GpuArray {
 public:
  GpuArray() = default;
  explicit GpuArray(std::size_t count) : count_(count) {
    void* data = nullptr;
    check_cuda(cudaMalloc(&data, count * sizeof(T) + 1), "memory");  // of 0 bytes there is none
    data_.reset(static_cast<T*>(data));
  }
  explicit GpuArray(std::span<const T> values) : GpuArray(values.size()) { put(values); }

  T* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }
  void put(std::span<const T> values) {
    check_cuda(cudaMemcpy(data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice),
               "copy to the GPU");
  }
  void fill(int byte) { check_cuda(cudaMemset(data(), byte, bytes()), "memset"); }
  std::vector<T> values() const {
    std::vector<T> values(count_);
    check_cuda(cudaMemcpy(values.data(), data(), bytes(), cudaMemcpyDeviceToHost), "copy from the GPU");
    return values;
  }

 private:
  struct Free {
    void operator()(T* data) const { cudaFree(data); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t count_ = 0;
};

}  // namespace micius
