// A GPU as the forward pass sees it: memory, copies, and kernels that run one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "engine/device/kernels.h"
#include "engine/ops/decode_attention_gpu.h"

namespace micius {

// Kernels that a device keeps, to start them all at the cost of one. It must not outlive the device.
class Recording {
 public:
  virtual ~Recording() = default;
  // As Device::launch of each, in their order; what they were given must be there still.
  virtual void start() = 0;
};

// For one thread at a time. All that is started is done in the order of the calls; a copy waits for what was
// started before.
class Device {
 public:
  virtual ~Device() = default;
  virtual const GpuFigures& figures() const = 0;
  // Undefined bytes, aligned to 256. Throws Error{kIo} with how much there is where it is too much.
  virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void release(std::byte* memory) noexcept = 0;
  // Either side may be the host's memory; it is the caller's again on return. Throws Error{kIo} with what a
  // kernel that was started before did wrong.
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
  // What the kernel is given stays the caller's, and must be there until it has run: a copy tells.
  virtual void launch(const Kernel& kernel) = 0;
  // Starts none of them.
  virtual std::unique_ptr<Recording> record(std::span<const Kernel> kernels) = 0;
  // Bytes that nobody has; others may take them before allocate() does.
  virtual std::size_t free_bytes() const = 0;
  // Seconds from the end of what was started before to the end of what `work` starts, by the device's clock.
  virtual double seconds_of(const std::function<void()>& work) = 0;
};

// An array in a device's memory, which must outlive it. T is a value that is moved by its bytes.
template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Device& device, std::size_t count)
      : memory_(device.allocate(count * sizeof(T)), {&device}), count_(count) {}
  DeviceArray(Device& device, std::span<const T> values) : DeviceArray(device, values.size()) { put(values); }

  T* data() const { return reinterpret_cast<T*>(memory_.get()); }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Room for `count` values at least; where there was too little, all are undefined.
  void reserve(Device& device, std::size_t count) {
    if (count <= count_) return;
    *this = {};
    *this = DeviceArray(device, count);
  }
  // Copies to the first of its values, and from them.
  void put(std::span<const T> values) const {
    if (!values.empty()) memory_.get_deleter().device->copy(data(), values.data(), values.size_bytes());
  }
  void get(std::span<T> values) const {
    if (!values.empty()) memory_.get_deleter().device->copy(values.data(), data(), values.size_bytes());
  }
  void assign(Device& device, std::span<const T> values) {
    reserve(device, values.size());
    put(values);
  }

 private:
  struct Release {
    Device* device = nullptr;
    void operator()(std::byte* memory) const { device->release(memory); }
  };
  std::unique_ptr<std::byte, Release> memory_;
  std::size_t count_ = 0;
};

}  // namespace micius
