#include "engine/model/cpu_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/sampler.h"

namespace micius {

CpuDecoder::CpuDecoder(Transformer transformer, Numerics numerics, const OpContext& context)
    : transformer_(std::move(transformer)), numerics_(numerics), context_(context) {}

std::unique_ptr<KvPool> CpuDecoder::make_kv_pool(std::size_t budget_bytes) {
  return std::make_unique<KvPool>(Transformer::kv_layout(config(), numerics_), config().layers, budget_bytes);
}

void CpuDecoder::forward(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) {
  hidden_ = transformer_.forward(slices, wanted, context_);
}

void CpuDecoder::score(std::size_t first, std::span<const LogitPick> picks, std::span<LogitSummary> summaries,
                       std::span<float> picked) {
  score_logits(transformer_.head(), hidden(first, summaries.size()), picks, summaries, picked, logits_,
               context_);
}

void CpuDecoder::greedy(std::size_t first, std::span<std::optional<TokenId>> tokens) {
  for (std::size_t begin = 0; begin < tokens.size(); begin += kLogitRows) {
    const std::size_t rows = std::min(kLogitRows, tokens.size() - begin);
    const std::span<const float> all = logits(first + begin, rows);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto of_row = all.subspan(row * config().vocabulary, config().vocabulary);
      const TokenId id = greedy_token(of_row);
      const bool is_finite = std::isfinite(of_row[static_cast<std::size_t>(id)]);
      tokens[begin + row] = is_finite ? std::optional(id) : std::nullopt;
    }
  }
}

std::span<const float> CpuDecoder::logits(std::size_t first, std::size_t rows) {
  logits_.resize(rows * config().vocabulary);
  transformer_.head().apply(hidden(first, rows), logits_, context_);
  return logits_;
}

std::span<const float> CpuDecoder::hidden(std::size_t first, std::size_t rows) const {
  return hidden_.subspan(first * config().hidden, rows * config().hidden);
}

}  // namespace micius
