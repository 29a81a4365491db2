#include "engine/ops/selective_attention.h"

#include <algorithm>

namespace micius {

SelectivePlan selective_plan(std::span<const DecodeSequence> sequences) {
  SelectivePlan plan;
  for (std::uint32_t s = 0; s < sequences.size(); ++s) {
    const DecodeSequence& sequence = sequences[s];
    const std::uint32_t first = sequence.begin / kPartTokens;
    const std::uint32_t parts = (sequence.end - 1) / kPartTokens + 1 - first;
    plan.items.push_back({sequence.first_page, sequence.begin, sequence.end, plan.parts});
    for (std::uint32_t part = 0; part < parts; part += kScoreParts) {
      plan.chunks.push_back({s, sequence.first_page, sequence.begin, sequence.end, first + part,
                             std::min(kScoreParts, parts - part), plan.parts + part});
    }
    plan.parts += parts;
    plan.most_parts = std::max(plan.most_parts, parts);
  }
  return plan;
}

}  // namespace micius
