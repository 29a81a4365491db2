// Which scores are the highest, over Lanes; a lanes header comes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/kv_page.h"
#include "engine/ops/attention_internal.h"

namespace micius {
namespace {

// The `top` highest of scores that come by rising position; of equal ones the earlier.
class Best {
 public:
  Best() = default;
  // scores, positions: room for candidates_of(top), which stays the caller's.
  Best(float* scores, std::uint32_t* positions, std::size_t top)
      : scores_(scores), positions_(positions), top_(top) {}

  // scores[i], i from `begin` to below `end`, is that of position first + i; Lanes read kPageTokens of them.
  void offer(const float* scores, std::size_t first, std::size_t begin, std::size_t end) {
    const Lanes least = Lanes::broadcast(least_);
    for (std::size_t i = begin / 16 * 16; i < end; i += 16) {
      if (Lanes::same(Lanes::max(Lanes::load(scores + i), least), least)) continue;
      const std::size_t from = i > begin ? i : begin, to = i + 16 < end ? i + 16 : end;
      for (std::size_t j = from; j < to; ++j) {
        scores_[count_] = scores[j];
        positions_[count_] = static_cast<std::uint32_t>(first + j);
        count_ += scores[j] > least_ ? 1 : 0;
      }
    }
    if (count_ >= kTimesTop * top_) keep_best();
  }
  // Nothing is offered after it. Scores that are no numbers are not among the best.
  void finish() {
    if (count_ > top_) keep_best();
  }

  // By rising position.
  std::size_t count() const { return count_; }
  float* scores() const { return scores_; }
  const std::uint32_t* positions() const { return positions_; }

 private:
  // From then on only higher scores count: those that come are at later positions.
  void keep_best() {
    least_ = cut();
    std::size_t equal = top_ - above(least_), kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const float score = scores_[i];
      const bool is_kept = score > least_ || (score == least_ && equal > 0);
      if (score == least_ && is_kept) --equal;
      scores_[kept] = score;
      positions_[kept] = positions_[i];
      kept += is_kept ? 1 : 0;
    }
    count_ = kept;
  }
  // A value that at most `top` scores are above, and fewer only if it is itself the one that follows them:
  // halves, without a branch on a score.
  float cut() const {
    Lanes highest = Lanes::broadcast(scores_[0]), lowest = highest;
    for (std::size_t i = 0; i < count_; i += 16) {
      const Lanes s = part(i, scores_[0]);
      highest = Lanes::max(highest, s);
      lowest = Lanes::max(lowest, Lanes::zero() - s);
    }
    float low = -lowest.max(), high = highest.max();
    if (above(low) <= top_) return low;
    for (;;) {
      const float middle = low / 2 + high / 2;
      if (!(middle > low && middle < high)) return high;
      const std::size_t higher = above(middle);
      if (higher == top_) return middle;
      (higher > top_ ? low : high) = middle;
    }
  }
  std::size_t above(float value) const {
    Lanes count = Lanes::zero();
    const Lanes one = Lanes::broadcast(1);
    for (std::size_t i = 0; i < count_; i += 16)
      count = count + Lanes::where_above(part(i, value), value, one, Lanes::zero());
    return static_cast<std::size_t>(count.sum());
  }
  // Scores i to i + 15; `rest` where there are none.
  Lanes part(std::size_t i, float rest) const {
    return Lanes::first(Lanes::load(scores_ + i), static_cast<std::int64_t>(count_ - i),
                        Lanes::broadcast(rest));
  }

  float* scores_ = nullptr;
  std::uint32_t* positions_ = nullptr;
  std::size_t top_ = 0, count_ = 0;
  float least_ = -std::numeric_limits<float>::infinity();
};

}  // namespace
}  // namespace micius
