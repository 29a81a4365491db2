// The prefill kernel and the merge on the emulated device, for tests.
#pragma once

#include <span>
#include <vector>

#include "engine/ops/attention_merge_kernel.h"
#include "engine/ops/prefill_attention_kernel.h"
#include "gpu/decode_cases.h"
#include "gpu/kernel_run.h"

namespace micius {

// Rows of results; those that nobody writes are NaN.
struct PartResults {
  PartResults(const DecodeLayout& layout, std::size_t rows);
  std::vector<float> out, lse;
};

// Lanes: EmulatedLanes, or a class over it that does something wrong.
template <typename Lanes = emulation::EmulatedLanes>
void run_prefill(const DecodeInputs& inputs, const std::vector<PrefillToken>& tokens, const PrefillPlan& plan,
                 const PrefillTuning& tuning, PartResults& results) {
  const DecodeLayout& layout = inputs.layout;
  // As a product of Q, K and V together leaves it: rows that are farther apart than they are long.
  const std::size_t width = std::size_t{layout.n_q} * layout.d_k, stride = width + 3;
  std::vector<float> q(inputs.q.size() / width * stride);
  for (std::size_t i = 0; i < inputs.q.size(); ++i) q[i / width * stride + i % width] = inputs.q[i];
  const std::vector<std::uint32_t> table(inputs.table.begin(), inputs.table.end());
  KernelRun run;
  const PrefillArgs args{layout,
                         tuning,
                         static_cast<std::uint32_t>(plan.cells.size()),
                         run.in(q),
                         static_cast<std::uint32_t>(stride),
                         run.in(inputs.pages),
                         run.in(table),
                         run.in(tokens),
                         run.in(plan.cells),
                         run.in(plan.tiles),
                         run.out(results.out),
                         run.out(results.lse)};
  with_decode_tiles(layout, [&](auto k, auto v) {
    constexpr int kK = decltype(k)::value, kV = decltype(v)::value;
    run.start({plan.blocks(), 32 * tuning.warps, PrefillShared(layout).bytes},
              [&](emulation::EmulatedLanes& emulated) {
                Lanes lanes(emulated);
                layout.bf16 ? prefill_attention<Lanes, BF16, kK, kV>(lanes, args)
                            : prefill_attention<Lanes, F16, kK, kV>(lanes, args);
              });
  });
}

// first, parts: as AttentionMergeArgs has them.
DecodeResults run_merge(const DecodeLayout& layout, const std::vector<std::uint32_t>& first,
                        const std::vector<std::uint32_t>& parts, const PartResults& results);

}  // namespace micius
