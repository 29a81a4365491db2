// The log-probabilities of a row of logits.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "engine/job.h"
#include "engine/ops/op_context.h"

namespace micius {

// That of `id` and of the `best` likeliest tokens (at most as many as there are logits). Absent where the
// logits are not finite numbers. On the calling thread alone; the same bits as score_logits() gives.
std::optional<TokenLogprobs> token_logprobs(std::span<const float> logits, TokenId id, std::size_t best,
                                            const OpContext& context);

}  // namespace micius
