// Arrays that go to a device's memory with one copy.
//
// Each has room of a power of two of bytes. So arrays that grow by a little from one step to the next mostly
// stay where they were, and with them what kernels are given (KernelReplay).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "engine/device/device.h"

namespace micius {

class DeviceParcel {
 public:
  // Where an array is in the parcel.
  template <typename T>
  struct Part {
    std::size_t offset = 0;
  };

  void clear() { bytes_.clear(); }
  template <typename T>
  Part<T> add(std::span<const T> values) {
    const std::size_t room = std::bit_ceil(std::max(values.size_bytes(), kLeastRoom)), offset = bytes_.size();
    bytes_.resize(offset + room);
    if (!values.empty()) std::memcpy(bytes_.data() + offset, values.data(), values.size_bytes());
    return {offset};
  }
  template <typename T>
  Part<T> add(const std::vector<T>& values) {
    return add(std::span<const T>(values));
  }

  void send(Device& device) {
    sent_.reserve(device, std::bit_ceil(bytes_.size()));
    sent_.put(bytes_);
  }
  // In the device's memory, from send() until the next one.
  template <typename T>
  const T* at(Part<T> part) const {
    return reinterpret_cast<const T*>(sent_.data() + part.offset);
  }

 private:
  static constexpr std::size_t kLeastRoom = 256;  // and so the alignment

  std::vector<std::byte> bytes_;
  DeviceArray<std::byte> sent_;
};

}  // namespace micius
