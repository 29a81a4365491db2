// Plans that anybody would try first. Each but `naive` is made as rounds; as_list() gives the other form.
#pragma once

#include <optional>
#include <vector>

#include "plan/machine.h"
#include "plan/plan.h"

namespace micius::plan {

// Owner after owner along breadth-first trees over the pairs that can exchange data, lower numbers first; one
// step after the other, as a list. Absent if some GPU cannot be reached.
std::optional<Plan> naive_plan(const Machine& machine, int chunks);

// One round: every owner to everybody, the next GPU first. Absent unless all pairs can exchange data.
std::optional<Plan> direct_plan(const Machine& machine, int chunks);

// In round r every GPU of the ring passes on what its neighbour r places before it owns.
Plan ring_plan(const std::vector<int>& ring, int chunks);
// Up to 8 GPUs: of all rings the first with the fastest slowest route. More: 0, 1, 2, ... Absent where a
// neighbour cannot be reached.
std::optional<std::vector<int>> best_ring(const Machine& machine);

// In round k GPU i exchanges all it has with i xor 2^k. Absent unless the number of GPUs is a power of two
// and these can exchange data.
std::optional<Plan> doubling_plan(const Machine& machine, int chunks);

// Groups of `size` GPUs, by number. First the same rank of the groups exchange what they own, then every GPU
// sends what it owns and got to its group. Absent unless there are two groups or more of two GPUs or more and
// these can exchange data.
std::optional<Plan> hierarchical_plan(const Machine& machine, int chunks, int size = 4);

}  // namespace micius::plan
