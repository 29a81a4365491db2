// What both halves of the simulation draw from.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "stats/interval.h"
#include "stats/paired.h"
#include "stats/simulation.h"

namespace micius {

// One row: fn(rng) says of one round whether it happened.
template <typename Fn>
Simulated simulate(std::string what, std::string setting, std::size_t rounds, Interval promise,
                   const Fn& fn) {
  Rng rng(fmt::format("1234/simulation/{}/{}", what, setting));
  std::size_t count = 0;
  for (std::size_t i = 0; i < rounds; ++i) count += fn(rng) ? 1 : 0;
  const double share = static_cast<double>(count) / static_cast<double>(rounds);
  const double error = std::sqrt(share * (1 - share) / static_cast<double>(rounds));
  return {std::move(what), std::move(setting), share, error, promise.low, promise.high};
}

inline double draw_normal(Rng& rng) {
  return std::sqrt(-2 * std::log(1 - rng.uniform())) * std::cos(2 * std::numbers::pi * rng.uniform());
}

inline std::size_t draw_hits(Rng& rng, std::size_t n, double p) {
  std::size_t hits = 0;
  for (std::size_t i = 0; i < n; ++i) hits += rng.uniform() < p ? 1 : 0;
  return hits;
}

// n pairs of two systems, of which A alone is right with only_a, B alone with only_b, and both with the
// rest's half.
inline PairedCounts draw_pairs(Rng& rng, std::size_t n, double only_a, double only_b) {
  PairedCounts counts;
  for (std::size_t i = 0; i < n; ++i) {
    const double u = rng.uniform();
    ++(u < only_a                      ? counts.only_a
       : u < only_a + only_b           ? counts.only_b
       : u < (1 + only_a + only_b) / 2 ? counts.both
                                       : counts.neither);
  }
  return counts;
}

struct Clustered {
  std::vector<double> values;
  std::vector<std::uint32_t> clusters;
};

// Values around 0 with intra-cluster correlation 0.3.
inline Clustered draw_clusters(Rng& rng, std::size_t clusters, std::size_t size) {
  Clustered result;
  for (std::uint32_t g = 0; g < clusters; ++g) {
    const double shared = std::sqrt(0.3) * draw_normal(rng);
    for (std::size_t i = 0; i < size; ++i) {
      result.values.push_back(shared + std::sqrt(0.7) * draw_normal(rng));
      result.clusters.push_back(g);
    }
  }
  return result;
}

}  // namespace micius
