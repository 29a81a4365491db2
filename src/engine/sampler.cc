#include "engine/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace micius {
namespace {

constexpr std::size_t kSortedFirst = 1024;  // a nucleus mostly has fewer; the whole vocabulary is not sorted

bool more_likely(const Candidate& a, const Candidate& b) {
  return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
}

// The least logit that top-k leaves.
float least_logit(std::span<const float> logits, int top_k) {
  if (top_k <= 0 || static_cast<std::size_t>(top_k) >= logits.size()) return -INFINITY;
  std::vector<float> sorted(logits.begin(), logits.end());
  std::nth_element(sorted.begin(), sorted.begin() + (top_k - 1), sorted.end(), std::greater<>());
  return sorted[top_k - 1];
}

void normalise(std::vector<Candidate>& kept) {
  double sum = 0;
  for (const Candidate& candidate : kept) sum += candidate.probability;
  for (Candidate& candidate : kept) candidate.probability /= sum;
}

void keep_top_p(std::vector<Candidate>& kept, double top_p) {
  double tail = 0;
  if (kept.size() > kSortedFirst) {
    const auto rest = kept.begin() + kSortedFirst;
    std::nth_element(kept.begin(), rest, kept.end(), more_likely);
    for (auto it = rest; it != kept.end(); ++it) tail += it->probability;
    if (tail <= 1 - top_p) {
      kept.erase(rest, kept.end());
    } else {
      tail = 0;
    }
  }
  std::sort(kept.begin(), kept.end(), more_likely);
  std::size_t size = kept.size();
  while (size > 1 && (tail += kept[size - 1].probability) <= 1 - top_p) --size;
  kept.resize(size);
}

}  // namespace

std::vector<Candidate> sampling_candidates(std::span<const float> logits, const SamplingOptions& options) {
  std::vector<Candidate> kept;
  if (logits.empty()) return kept;
  const float largest = *std::max_element(logits.begin(), logits.end());
  const float least = least_logit(logits, options.top_k);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] < least) continue;
    const double probability = std::exp((double{logits[i]} - largest) / options.temperature);
    if (probability > 0) kept.push_back({static_cast<TokenId>(i), probability});
  }
  if (kept.empty()) return kept;
  normalise(kept);
  if (options.top_p < 1) {
    keep_top_p(kept, options.top_p);
    normalise(kept);
  }
  if (options.min_p > 0) {
    const double most = std::min_element(kept.begin(), kept.end(), more_likely)->probability;
    std::erase_if(kept, [&](const Candidate& c) { return c.probability < options.min_p * most; });
    normalise(kept);
  }
  return kept;
}

TokenId greedy_token(std::span<const float> logits) {
  constexpr std::size_t kLanes = 16;  // independent maxima, which compilers put into registers side by side
  std::array<float, kLanes> lanes;
  lanes.fill(-INFINITY);
  std::size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = std::max(lanes[lane], logits[i + lane]);
  }
  float most = *std::max_element(lanes.begin(), lanes.end());
  for (; i < logits.size(); ++i) most = std::max(most, logits[i]);
  const auto found = std::find(logits.begin(), logits.end(), most);
  return found == logits.end() ? 0 : static_cast<TokenId>(found - logits.begin());
}

TokenId sample_token(std::span<const float> logits, const SamplingOptions& options, Rng& rng) {
  if (options.temperature <= 0) return greedy_token(logits);
  const std::vector<Candidate> candidates = sampling_candidates(logits, options);
  if (candidates.empty()) return greedy_token(logits);
  double left = rng.uniform();
  for (const Candidate& candidate : candidates) {
    left -= candidate.probability;
    if (left < 0) return candidate.id;
  }
  return candidates.back().id;
}

}  // namespace micius
