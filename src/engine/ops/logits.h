// What scoring and sampling need of a row of logits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/float_rows.h"
#include "engine/ops/linear.h"

namespace micius {

struct LogitSummary {
  float max = 0;
  std::int32_t argmax = 0;  // the lowest id with the largest logit
  double logsumexp = 0;     // natural; exponentials in fp32, sum in fp64
};

LogitSummary summarize_logits(std::span<const float> logits, const OpContext& context);

// A logit to keep: that of `id` in row `row` of x.
struct LogitPick {
  std::uint32_t row = 0;
  std::int32_t id = 0;
};

// head.apply(x) followed by summarize_logits of each row, with the logits of 64 rows at a time in `logits`:
// summaries: [rows]; picked[i] is the logit of picks[i]. The same bits as the two steps.
void score_logits(const Linear& head, std::span<const float> x, std::span<const LogitPick> picks,
                  std::span<LogitSummary> summaries, std::span<float> picked, FloatRows& logits,
                  const OpContext& context);

}  // namespace micius
