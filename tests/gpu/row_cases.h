// What tests of a GPU's kernels of rows have in common.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/device/device_rows.h"
#include "engine/ops/linear.h"
#include "engine/ops/linear_gpu.h"

namespace micius {

// The emulation, and the GPU of this machine where there is one.
std::vector<std::unique_ptr<Device>> all_devices();

template <typename T>
std::vector<T> fetched(const DeviceArray<T>& values) {
  std::vector<T> host(values.size());
  values.get(host);
  return host;
}

// Differences count as parts of what was expected where that is more than 1.
template <typename T>
void check_near(std::span<const float> values, const std::vector<T>& expected, double tolerance) {
  REQUIRE(values.size() == expected.size());
  long wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto wanted = static_cast<double>(expected[i]);
    wrong += std::abs(values[i] - wanted) <= tolerance * std::max(1.0, std::abs(wanted)) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

// What the planes of `rows` add up to: [rows.rows, rows.width]. Checks that the padding is zeros and that the
// sums are those of the planes.
std::vector<float> joined(Device& device, const BlockedRows& rows);

// A stack of matrices in a device's memory.
class DeviceLinear {
 public:
  DeviceLinear(Device& device, std::span<const LinearPart> parts);
  const TiledWeights& weights() const { return weights_; }

 private:
  DeviceArray<std::uint32_t> tiles_;
  TiledWeights weights_;
};

}  // namespace micius
