// The ten or so records that a case shows: those that fit and those that nearly do.
#pragma once

#include <optional>

#include "base/json.h"
#include "base/rng.h"
#include "pool.h"

namespace micius::aimicius {

struct Candidates {
  Json shown = Json::array();    // what the model sees, each with its index
  Json matches = Json::array();  // indices of those that fit
  Json traps = Json::object();   // of the others: the attribute that is wrong, "design", "workload" or "both"
  int near_traps = 0;            // others of the same design and workload family
};

// How often each record has been shown, so that the pool is used evenly.
using Uses = std::vector<int>;

// How many candidates, and how many of them fit.
struct Wanted {
  std::size_t size = 10, matching = 0;
};

// Draws wanted.size candidates of which exactly wanted.matching fit; with a baseline and any match, at least
// one of each side. Of the others at least two have the design but not the workload, two the workload but not
// the design, and one is of a sibling workload, as far as the pool has them; the rest is random. No two look
// alike, and none is one that could be argued about. Absent if the pool cannot give that.
std::optional<Candidates> draw_candidates(const Pool& pool, const Vocabulary& vocabulary, const Dcw& dcw,
                                          const Wanted& wanted, Uses& uses, Rng& rng);

}  // namespace micius::aimicius
