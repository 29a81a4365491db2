#include "engine/ops/shared_prefix.h"

#include <algorithm>

namespace micius {

SharedPrefixPlan shared_prefix_plan(const DecodeLayout& layout, std::span<const SharedPrefix> prefixes,
                                    std::uint32_t rows, const PrefillTuning& tuning, std::uint32_t blocks) {
  SharedPrefixPlan plan;
  std::vector<std::vector<std::uint32_t>> parts(rows);  // of each row
  std::vector<PrefillRun> runs;
  const auto each = static_cast<std::uint32_t>(blocks / std::max<std::size_t>(1, prefixes.size()));
  for (const SharedPrefix& prefix : prefixes) {
    PrefillRun run{prefix.first_page, static_cast<std::uint32_t>(plan.tokens.size()),
                   static_cast<std::uint32_t>(prefix.rows.size()), plan.first_suffix, 1};
    run.splits = prefill_splits(layout, run.tokens, prefix.end - prefix.begin, tuning, each);
    for (const std::uint32_t row : prefix.rows) plan.tokens.push_back({row, prefix.begin, prefix.end});
    for (std::uint32_t split = 0; split < run.splits; ++split) {
      for (const std::uint32_t row : prefix.rows) parts[row].push_back(plan.first_suffix++);
    }
    runs.push_back(run);
  }
  plan.prefixes = prefill_plan(layout, plan.tokens, runs, tuning);
  plan.merge_first.push_back(0);
  for (std::uint32_t row = 0; row < rows; ++row) {
    plan.merge_parts.insert(plan.merge_parts.end(), parts[row].begin(), parts[row].end());
    plan.merge_parts.push_back(plan.first_suffix + row);
    plan.merge_first.push_back(static_cast<std::uint32_t>(plan.merge_parts.size()));
  }
  return plan;
}

}  // namespace micius
