// A plain read of a device's memory, to hold other reads against.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"

namespace micius {

struct MemoryReadKernel {
  static constexpr std::uint32_t kThreads = 256, kLoads = 4;  // the latter of a thread under way

  const std::uint32_t* words = nullptr;  // [4 * quads]
  std::size_t quads = 0;
  std::uint32_t* sum = nullptr;  // of one value in 2^32 written, so that no load is left out
  std::uint32_t blocks = 0;

  constexpr LaunchShape shape() const { return {blocks, kThreads, 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const std::size_t stride = std::size_t{blocks} * kThreads;
    std::uint32_t mine = 0;
    for (std::size_t at = std::size_t{d.block()} * kThreads + d.thread(); at < quads; at += kLoads * stride) {
      Words4 read[kLoads] = {};
      MICIUS_UNROLL
      for (unsigned i = 0; i < kLoads; ++i) {
        if (at + i * stride < quads) read[i] = d.load4(words + 4 * (at + i * stride));
      }
      MICIUS_UNROLL
      for (unsigned i = 0; i < kLoads; ++i) mine += read[i].x ^ read[i].y ^ read[i].z ^ read[i].w;
    }
    if (mine == 0x12345678U) d.store(sum, mine);
  }
  bool operator==(const MemoryReadKernel&) const = default;
};

}  // namespace micius
