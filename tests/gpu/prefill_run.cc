#include "gpu/prefill_run.h"

#include <cmath>

namespace micius {

PartResults::PartResults(const DecodeLayout& layout, std::size_t rows)
    : out(rows * layout.n_q * layout.d_v, NAN), lse(rows * layout.n_q, NAN) {}

DecodeResults run_merge(const DecodeLayout& layout, const std::vector<std::uint32_t>& first,
                        const std::vector<std::uint32_t>& parts, const PartResults& results) {
  const std::size_t rows = first.size() - 1;
  PartResults merged(layout, rows);
  KernelRun run;
  const AttentionMergeArgs args{layout.n_q,          layout.d_v,          run.in(first),
                                run.in(parts),       run.in(results.out), run.in(results.lse),
                                run.out(merged.out), run.out(merged.lse)};
  run.start({static_cast<unsigned>(rows), kMergeThreads, 0},
            [&](emulation::EmulatedLanes& lanes) { merge_attention(lanes, args); });
  return {merged.out, merged.lse};
}

}  // namespace micius
