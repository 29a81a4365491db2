// Local search on a plan itself, step by step.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "plan/cost.h"

namespace micius::aimicius::optiflow {

// One change of a plan. A list counts as rounds of one step each, which are neither merged nor split.
struct Move {
  enum class Kind {
    kSwap,    // step `step` of round `round` and step `other_step` of round `other_round` trade places
    kSource,  // step `step` of round `round` is sent by GPU `source`
    kMerge,   // round `round` and the next become one
    kSplit,   // round `round` becomes two, the second from step `step` on
  };
  Kind kind = Kind::kSwap;
  std::size_t round = 0, step = 0, other_round = 0, other_step = 0;
  int source = 0;
  bool operator==(const Move&) const = default;
};

// The plan after these moves, in order; absent where one names a round or a step that is not there.
std::optional<plan::Plan> changed(const plan::Plan& plan, std::span<const Move> moves);

// Tries `tries` random moves of a valid plan, one after the other on what is left of it, and gives those that
// are needed to make it faster; none where nothing was found. A move is kept if the plan stays valid and gets
// faster, or takes as long with less on its links (the sum of squares of what a link carries in a round, in
// time; rounds alone). Deterministic by `rng`.
std::vector<Move> faster(const plan::CostModel& model, const plan::Plan& plan, std::size_t tries, Rng& rng);

}  // namespace micius::aimicius::optiflow
