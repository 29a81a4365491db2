// A list scheduler: round by round, every chunk that a GPU lacks comes from the holder whose route is least
// loaded.
#pragma once

#include <optional>
#include <vector>

#include "plan/machine.h"
#include "plan/plan.h"

namespace micius::plan {

struct GreedyOptions {
  std::vector<int> order;    // of the owners; by number where empty
  std::optional<int> first;  // receivers from owner + first on, round about; absent: by number
  // A link carries at most `most_chunks` over a link of `most_mbps` worth of time in a round, and whatever
  // comes first when nothing else would be sent. Absent (most_chunks 0): no limit.
  int most_chunks = 0;
  std::int64_t most_mbps = 0;
  // A GPU does not take a chunk over a slow route while one to which it has a faster route holds it or gets
  // it in this round.
  bool wait = false;
  bool operator==(const GreedyOptions&) const = default;
};

// In a round, owner by owner in `order`, chunk by chunk, receiver by receiver: of the holders at the round's
// beginning, the one with the least load, the largest (chunks in this round + 1) / bandwidth over the links
// of its route; lower numbers first. The arithmetic is that of a Python program that divides floats: GB/s as
// a double. Absent if some chunk cannot get somewhere.
std::optional<Plan> greedy_plan(const Machine& machine, int chunks, const GreedyOptions& options = {});

}  // namespace micius::plan
