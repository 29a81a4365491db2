// What the two bandwidth tests measure: copies between every CPU and GPU. A copy's rate follows from the link
// alone: no noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "emu/host.h"

namespace micius::emu::amd {

// The machine's devices: CPU sockets, then GPUs. The host outlives it.
class Devices {
 public:
  explicit Devices(const Host& host);
  std::size_t size() const { return cpus_ + host_.gpu_count(); }
  std::size_t cpus() const { return cpus_; }
  bool is_cpu(std::size_t device) const { return device < cpus_; }
  std::size_t gpu(std::size_t device) const { return device - cpus_; }
  std::int64_t weight(std::size_t from, std::size_t to) const;  // the runtime's distance
  std::int64_t rate(std::size_t from, std::size_t to) const;    // of one copy, in 10 MB/s

 private:
  std::size_t numa(std::size_t device) const;

  const Host& host_;
  std::size_t cpus_ = 1;
};

std::string rate_text(std::int64_t rate, int digits);  // in GB/s

}  // namespace micius::emu::amd
