#include "engine/ops/selective_attention.h"

#include <algorithm>

#include "base/error.h"

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

void check_selection(const DecodeLayout& layout, std::size_t top, std::size_t positions,
                     std::uint32_t shared_bytes) {
  // A sequence may begin within a part.
  const std::uint32_t parts = roomy_parts(static_cast<std::uint32_t>(positions / kPartTokens + 2));
  const SelectShared shared(
      layout, static_cast<std::uint32_t>(std::min<std::size_t>(top, parts * kPartTokens)), parts);
  if (shared.bytes <= shared_bytes) return;
  fail(ErrorCode::kUnsupported,
       "--selective-v {} of a context of {} needs {} bytes of a GPU's shared memory, {} are there; take a "
       "smaller number, or --device cpu",
       top, positions, shared.bytes, shared_bytes);
}

}  // namespace micius
