#include "engine/ops/logits.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engine/ops/elementwise_internal.h"

namespace micius {
namespace {

constexpr std::size_t kRowsAtOnce = 64;

}  // namespace

LogitSummary summarize_logits(std::span<const float> logits, const OpContext& context) {
  assert(!logits.empty());
  const ElementwiseKernels kernels = elementwise_kernels(context.isa);
  LogitSummary summary;
  summary.max = kernels.max(logits.data(), logits.size());
  const auto first = std::find(logits.begin(), logits.end(), summary.max);
  summary.argmax = first == logits.end() ? 0 : static_cast<std::int32_t>(first - logits.begin());
  summary.logsumexp = summary.max + std::log(kernels.sum_exp(logits.data(), logits.size(), summary.max));
  return summary;
}

void score_logits(const Linear& head, std::span<const float> x, std::span<const LogitPick> picks,
                  std::span<LogitSummary> summaries, std::span<float> picked, FloatRows& logits,
                  const OpContext& context) {
  const std::size_t rows = summaries.size();
  assert(x.size() == rows * head.inputs() && picks.size() == picked.size());
  logits.resize(std::min(rows, kRowsAtOnce) * head.outputs());
  for (std::size_t first = 0; first < rows; first += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows - first);
    const std::span<float> part(logits.data(), count * head.outputs());
    head.apply(x.subspan(first * head.inputs(), count * head.inputs()), part, context);
    context.pool.parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r) {
        summaries[first + r] = summarize_logits(part.subspan(r * head.outputs(), head.outputs()), context);
      }
    });
    for (std::size_t i = 0; i < picks.size(); ++i) {
      if (picks[i].row < first || picks[i].row >= first + count) continue;
      picked[i] = part[(picks[i].row - first) * head.outputs() + static_cast<std::size_t>(picks[i].id)];
    }
  }
}

}  // namespace micius
