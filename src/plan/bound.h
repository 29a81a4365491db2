// How fast no plan can be.
#pragma once

#include <cstdint>
#include <optional>

#include "plan/cost.h"

namespace micius::plan {

struct Bound {
  std::int64_t ps = 0;      // the larger of the two, rounded down
  std::int64_t cut_fs = 0;  // the least route latency + bytes_per_gpu * max |GPUs in S| / B_out(S)
  std::int64_t far_fs =
      0;  // the longest of the shortest ways of a chunk from GPU to GPU, whole chunk hop by hop
};

// S runs over the sets of nodes that leave out a GPU; B_out(S) is the bandwidth of the links that leave it:
// the bytes of S's GPUs must get out. The best S is found exactly: for a rate r from each GPU, a minimum cut
// towards the GPU left out says whether some S has B_out(S) < r |S|, and r falls to that ratio (Dinkelbach,
// "On nonlinear fractional programming", 1967). Absent if some GPU cannot reach another or there is only one.
// The two parts are of real numbers, to the nearest femtosecond; the cost model rounds each transfer, so a
// plan can be faster than the bound by half a picosecond a transfer, and no more.
std::optional<Bound> lower_bound(const CostModel& model);

}  // namespace micius::plan
