#include "plan/baselines.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace micius::plan {
namespace {

constexpr int kLargestSearchedRing = 8;

bool all_connected(const Machine& machine, const Plan& plan) {
  return std::all_of(plan.steps.begin(), plan.steps.end(),
                     [&](const Step& step) { return machine.connected(step.src, step.dst); });
}

std::optional<Plan> if_possible(const Machine& machine, Plan plan) {
  if (plan.steps.empty() || !all_connected(machine, plan)) return std::nullopt;
  return plan;
}

// 0 if some neighbour cannot be reached.
std::int64_t slowest_of(const Machine& machine, const std::vector<int>& ring) {
  std::int64_t slowest = INT64_MAX;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const int src = ring[i], dst = ring[(i + 1) % ring.size()];
    if (!machine.connected(src, dst)) return 0;
    slowest = std::min(slowest, machine.route_mbps(src, dst));
  }
  return slowest;
}

}  // namespace

std::optional<Plan> naive_plan(const Machine& machine, int chunks) {
  Plan plan;
  plan.kind = PlanKind::kSteps;
  const int gpus = machine.gpus();
  for (int owner = 0; owner < gpus; ++owner) {
    std::vector<bool> seen(static_cast<std::size_t>(gpus));
    seen[owner] = true;
    std::vector<int> queue = {owner};
    for (std::size_t at = 0; at < queue.size(); ++at) {
      for (int dst = 0; dst < gpus; ++dst) {
        if (seen[dst] || !machine.connected(queue[at], dst)) continue;
        seen[dst] = true;
        for (int chunk = 0; chunk < chunks; ++chunk) plan.steps.push_back({owner, chunk, queue[at], dst});
        queue.push_back(dst);
      }
    }
    if (queue.size() != static_cast<std::size_t>(gpus)) return std::nullopt;
  }
  return plan;
}

std::optional<Plan> direct_plan(const Machine& machine, int chunks) {
  const int gpus = machine.gpus();
  std::vector<Step> round;
  for (int far = 1; far < gpus; ++far) {
    for (int owner = 0; owner < gpus; ++owner) {
      for (int chunk = 0; chunk < chunks; ++chunk)
        round.push_back({owner, chunk, owner, (owner + far) % gpus});
    }
  }
  Plan plan;
  plan.add_round(round);
  return if_possible(machine, std::move(plan));
}

Plan ring_plan(const std::vector<int>& ring, int chunks) {
  Plan plan;
  const std::size_t size = ring.size();
  for (std::size_t round = 0; round + 1 < size; ++round) {
    std::vector<Step> steps;
    for (std::size_t i = 0; i < size; ++i) {
      const int owner = ring[(i + size - round) % size];
      for (int chunk = 0; chunk < chunks; ++chunk)
        steps.push_back({owner, chunk, ring[i], ring[(i + 1) % size]});
    }
    plan.add_round(steps);
  }
  return plan;
}

std::optional<std::vector<int>> best_ring(const Machine& machine) {
  std::vector<int> ring(static_cast<std::size_t>(machine.gpus()));
  std::iota(ring.begin(), ring.end(), 0);
  std::vector<int> best = ring;
  std::int64_t fastest = slowest_of(machine, ring);
  if (machine.gpus() <= kLargestSearchedRing) {
    while (std::next_permutation(ring.begin() + 1, ring.end())) {
      const std::int64_t mbps = slowest_of(machine, ring);
      if (mbps <= fastest) continue;
      fastest = mbps;
      best = ring;
    }
  }
  if (fastest == 0 || machine.gpus() < 2) return std::nullopt;
  return best;
}

std::optional<Plan> doubling_plan(const Machine& machine, int chunks) {
  const int gpus = machine.gpus();
  if ((gpus & (gpus - 1)) != 0) return std::nullopt;
  Plan plan;
  for (int block = 1; block < gpus; block *= 2) {
    std::vector<Step> round;
    for (int src = 0; src < gpus; ++src) {
      const int first = src / block * block;
      for (int owner = first; owner < first + block; ++owner) {
        for (int chunk = 0; chunk < chunks; ++chunk) round.push_back({owner, chunk, src, src ^ block});
      }
    }
    plan.add_round(round);
  }
  return if_possible(machine, std::move(plan));
}

std::optional<Plan> hierarchical_plan(const Machine& machine, int chunks, int size) {
  const int gpus = machine.gpus();
  if (size < 2 || size >= gpus || gpus % size != 0) return std::nullopt;
  std::vector<Step> across, inside;
  for (int src = 0; src < gpus; ++src) {
    for (int far = size; far < gpus; far += size) {
      for (int chunk = 0; chunk < chunks; ++chunk) across.push_back({src, chunk, src, (src + far) % gpus});
    }
    const int first = src / size * size;
    for (int owner = src % size; owner < gpus; owner += size) {
      for (int chunk = 0; chunk < chunks; ++chunk) {
        for (int dst = first; dst < first + size; ++dst) {
          if (dst != src) inside.push_back({owner, chunk, src, dst});
        }
      }
    }
  }
  Plan plan;
  plan.add_round(across);
  plan.add_round(inside);
  return if_possible(machine, std::move(plan));
}

}  // namespace micius::plan
