// A kernel under test on the emulated device, and the arrays that it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "gpu/emulated_lanes.h"

namespace micius {

class KernelRun {
 public:
  // Arrays live until the kernel has run; those that it writes are no others.
  template <typename T>
  const T* in(const std::vector<T>& values) {
    return allow(values.data(), values.size() * sizeof(T), Access::kRead);
  }
  template <typename T>
  T* out(std::vector<T>& values) {
    return allow(values.data(), values.size() * sizeof(T), Access::kReadWrite);
  }
  const std::byte* in(std::span<const std::byte> bytes) {
    return allow(bytes.data(), bytes.size(), Access::kRead);
  }
  std::byte* out(Buffer& bytes) { return allow(bytes.data(), bytes.size(), Access::kReadWrite); }

  // Throws KernelFault for what the kernel does wrong.
  void start(const emulation::Grid& grid,
             const std::function<void(emulation::EmulatedLanes&)>& kernel) const {
    emulation::run_kernel(grid, memory_, emulation::Arrival::kLate, "kernel", kernel);
  }

 private:
  using Access = emulation::GlobalMemory::Access;
  template <typename T>
  T* allow(T* data, std::size_t bytes, Access access) {
    memory_.allow(data, bytes, access);
    return data;
  }
  emulation::GlobalMemory memory_;
};

}  // namespace micius
