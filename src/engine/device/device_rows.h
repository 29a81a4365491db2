// Room for a linear's inputs on a device, kept from one batch to the next.
#pragma once

#include "engine/device/device.h"
#include "engine/ops/blocked_rows.h"

namespace micius {

class DeviceRows {
 public:
  // Undefined rows; the room is that of any order.
  BlockedRows resize(Device& device, std::uint32_t rows, std::uint32_t width, std::uint32_t planes) {
    const std::uint32_t stride = BlockedRows::stride_of(rows);
    const std::size_t runs = std::size_t{BlockedRows::blocks(width)} * stride;
    values_.reserve(device, planes * runs * BlockedRows::kWords);
    sums_.reserve(device, runs);
    return {values_.data(), sums_.data(), rows, width, planes, stride, RunOrder::kByBlock};
  }

 private:
  DeviceArray<std::uint32_t> values_;
  DeviceArray<float> sums_;
};

}  // namespace micius
