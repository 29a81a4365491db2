// Packs what a reader of tensors gives it for a GPU.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/device/device.h"
#include "engine/ops/linear.h"

namespace micius {

// The Packer of WeightReader and BertReader. Borrows both; M is made of (parts, device, pool).
template <typename M>
class GpuPacker {
 public:
  using Matrix = M;
  using Vector = DeviceArray<float>;

  GpuPacker(Device& device, ThreadPool& pool) : device_(device), pool_(pool) {}

  Matrix linear(std::span<const LinearPart> parts) const { return {parts, device_, pool_}; }
  Vector vector(const std::vector<float>& values) const { return {device_, std::span(values)}; }

 private:
  Device& device_;
  ThreadPool& pool_;
};

// Kernels take four columns at a time: throws Error{kUnsupported} for another width.
inline void check_gpu_widths(const std::string& file, std::initializer_list<std::size_t> widths) {
  for (const std::size_t width : widths) {
    if (width % 4 == 0) continue;
    fail(ErrorCode::kUnsupported,
         "{}: rows of {} values are no multiple of 4, as a GPU takes them; use --device cpu", file, width);
  }
}

}  // namespace micius
