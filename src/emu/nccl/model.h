// The bandwidth model of collective tests: time(S) = alpha + S * factor / busbw, in integers, without noise.
// Alpha and busbw of each collective are the profile's; NCCL_ and RCCL_ variables scale them by fixed
// factors, so that a forgotten variable shows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emu/host.h"

namespace micius::emu {

struct Collective {
  std::string name;            // "all_reduce"
  std::int64_t numerator = 1;  // bytes on the wire for one byte: numerator / denominator, of the ranks
  std::int64_t denominator = 1;
  bool has_op = false, has_root = false;
  bool divided = false;  // the message is split over the ranks: sizes are rounded down to a multiple of them
};

// "all_reduce" for "all_reduce_perf"; what is not known is measured as all_gather.
Collective collective_of(std::string_view program, std::int64_t ranks);

class BandwidthModel {
 public:
  // Reads the NCCL_ and RCCL_ variables of the host's environment.
  BandwidthModel(Host& host, const Collective& collective, std::int64_t ranks, std::int64_t hosts);

  std::int64_t time_ns(std::int64_t bytes) const;
  double algorithm_bandwidth(std::int64_t bytes, std::int64_t ns) const;  // GB/s
  double bus_bandwidth(std::int64_t bytes, std::int64_t ns) const;

 private:
  void scale(std::int64_t alpha_percent, std::int64_t bandwidth_percent);
  void apply(Host& host, std::int64_t hosts);

  Collective collective_;
  std::int64_t alpha_ns_ = 10'000;
  std::int64_t megabytes_per_s_ = 1'000;
};

}  // namespace micius::emu
