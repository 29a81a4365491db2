#include "engine/token_logprobs.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/logits.h"

namespace micius {
namespace {

// The ids of the `count` largest logits, the largest first; of equal ones the lower id is first.
std::vector<TokenId> largest(std::span<const float> logits, std::size_t count) {
  const auto before = [&](TokenId a, TokenId b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::vector<TokenId> heap;  // its front is the least of those that are kept
  for (std::size_t i = 0; i < logits.size() && count > 0; ++i) {
    const auto id = static_cast<TokenId>(i);
    if (heap.size() == count) {
      if (!(logits[i] > logits[heap.front()])) continue;
      std::pop_heap(heap.begin(), heap.end(), before);
      heap.pop_back();
    }
    heap.push_back(id);
    std::push_heap(heap.begin(), heap.end(), before);
  }
  std::sort_heap(heap.begin(), heap.end(), before);
  return heap;
}

}  // namespace

std::optional<TokenLogprobs> token_logprobs(std::span<const float> logits, TokenId id, std::size_t best,
                                            const OpContext& context) {
  const double logsumexp = summarize_logits(logits, context).logsumexp;
  if (!std::isfinite(logsumexp) || !std::isfinite(logits[id])) return std::nullopt;
  const auto chance = [&](TokenId token) { return TokenChance{token, double{logits[token]} - logsumexp}; };
  TokenLogprobs result{chance(id), {}};
  for (const TokenId token : largest(logits, best)) result.best.push_back(chance(token));
  return result;
}

}  // namespace micius
