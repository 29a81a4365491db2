// Selective V over Lanes; attention_kernels_internal.h comes first. The q heads of a K head are scored
// together, page by page; of the scores only those are kept that may be among the best, and their values
// alone are read.
#pragma once

#include <limits>
#include <span>

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

// scores: [count] become weights 2^(s - m), m their largest; returns their sum.
inline float weigh(float* scores, std::size_t count) {
  float m = kMasked;
  for (std::size_t i = 0; i < count; ++i) m = scores[i] > m ? scores[i] : m;
  Lanes sum = Lanes::zero();
  for (std::size_t i = 0; i < count; i += 16) {
    const std::size_t left = count - i < 16 ? count - i : 16;
    const Lanes p = Lanes::first(exp2(Lanes::load(scores + i, left) - Lanes::broadcast(m)),
                                 static_cast<std::int64_t>(left), Lanes::zero());
    p.store(scores + i, left);
    sum = sum + p;
  }
  return sum.sum();
}

// The values that a q head chose.
template <typename T>
struct Chosen {
  const SelectedTask& task;
  const Best& best;
  std::size_t v_head;

  Tile<T> tile(std::size_t i) const {
    return v_tile<T>(task.layout, task.pages[best.positions()[i] / kPageTokens], v_head);
  }
  std::size_t token(std::size_t i) const { return best.positions()[i] % kPageTokens; }

  // They are far apart in memory.
  void fetch() const {
    const std::size_t v_stride = task.layout.v_stride();
    for (std::size_t i = 0; i < best.count(); ++i) {
      const T* const row = tile(i).data + token(i) * v_stride;
      for (std::size_t d = 0; d < v_stride; d += 64 / sizeof(T)) __builtin_prefetch(row + d);
    }
  }
  // out: [d_v], the sum of weights times values times `factor`, dims d to d + 16 * kWide - 1.
  template <int kWide>
  void add(std::size_t d, Lanes factor, float* out) const {
    const std::size_t d_v = task.layout.shape.d_v, v_stride = task.layout.v_stride();
    Lanes sum[kWide];
    for (Lanes& lanes : sum) lanes = Lanes::zero();
    for (std::size_t t = 0; t < best.count(); ++t) {
      const Tile<T> values = tile(t);
      const Lanes weight = Lanes::broadcast(best.scores()[t]);
      for (int i = 0; i < kWide; ++i)
        sum[i] = Lanes::fma(values.values(token(t), v_stride, d + 16 * i), weight, sum[i]);
    }
    for (int i = 0; i < kWide; ++i) {
      const std::size_t from = d + 16 * i;
      (sum[i] * factor).store(out + from, d_v - from < 16 ? d_v - from : 16);
    }
  }
};

// Goes through the keys: what each head may choose and, where it is asked for, its m and l over all
// positions.
template <typename T, int kHeads>
void score_selected(const SelectedTask& task, const float* q, float* scores, float* states,
                    std::span<Best> best) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t k_head = shape.k_head(task.heads.begin);
  const std::size_t last = (task.seen - 1) / kPageTokens;
  Fetch fetch(task.ahead);
  for (std::size_t page = task.hidden / kPageTokens; page <= last; ++page) {
    const Tile<T> tile = k_tile<T>(task.layout, task.pages[page], k_head);
    const T* const next = page < last ? k_tile<T>(task.layout, task.pages[page + 1], k_head).data : nullptr;
    fetch.turn(reinterpret_cast<const std::byte*>(tile.data), shape.d_k * kPageTokens * sizeof(T),
               reinterpret_cast<const std::byte*>(next));
    in_steps<2 * kHeads>(0, best.size(), [&]<int kCount>(std::size_t h) {
      score_page<T, kCount, kCount <= kHeads ? 4 : 2>(tile, q + h * shape.d_k, shape.d_k, fetch,
                                                      scores + h * kPageTokens);
    });
    const std::size_t first = page * kPageTokens;
    const std::size_t begin = task.hidden > first ? task.hidden - first : 0;
    const std::size_t end = task.seen - first < kPageTokens ? task.seen - first : kPageTokens;
    for (std::size_t h = 0; h < best.size(); ++h) {
      best[h].offer(scores + h * kPageTokens, first, begin, end);
      if (task.weights == SelectedWeights::kRaw)
        softmax_page(scores + h * kPageTokens, begin, end, states + h * kStateHead, 0);
    }
  }
}

template <typename T, int kHeads>
void attend_selected(const SelectedTask& task) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t count = task.heads.end - task.heads.begin, v_stride = task.layout.v_stride();
  float *q = task.scratch, *scores = q + count * shape.d_k, *states = scores + count * kPageTokens;
  const float scale = shape.scale * kLog2E;
  for (std::size_t i = 0; i < count * shape.d_k; ++i) q[i] = task.q[task.heads.begin * shape.d_k + i] * scale;
  Best best[kSelectedHeads];
  for (std::size_t h = 0; h < count; ++h) {
    states[h * kStateHead] = kMasked;
    states[h * kStateHead + 1] = 0;
    best[h] = Best(task.scores + h * candidates_of(task.top), task.positions + h * candidates_of(task.top),
                   task.top);
  }
  score_selected<T, kHeads>(task, q, scores, states, {best, count});
  const auto chosen = [&](std::size_t h) {
    return Chosen<T>{task, best[h], shape.v_head(task.heads.begin + h)};
  };
  for (std::size_t h = 0; h < count; ++h) {
    best[h].finish();
    chosen(h).fetch();
  }
  for (std::size_t h = 0; h < count; ++h) {
    float sum = weigh(best[h].scores(), best[h].count());
    if (task.weights == SelectedWeights::kRaw) sum = states[h * kStateHead + 1];
    const Lanes factor = Lanes::broadcast(1.0F / sum);
    float* const out = task.out + (task.heads.begin + h) * shape.d_v;
    std::size_t d = 0;
    for (; d + 64 <= v_stride; d += 64) chosen(h).template add<4>(d, factor, out);
    for (; d < v_stride; d += 16) chosen(h).template add<1>(d, factor, out);
  }
}

// call.template operator()<T>() with the type of the cache's elements.
template <typename F>
void with_elements(const KvLayout& layout, const F& call) {
  if (layout.dtype == DType::kF32) return call.template operator()<float>();
  if (layout.dtype == DType::kF16) return call.template operator()<std::uint16_t>();
  call.template operator()<std::int8_t>();
}

// kHeads: q heads of one K head taken together by the kernel for one token; kTokens, 1 to 8: keys of the
// other one.
template <int kHeads, int kTokens>
AttentionKernels lanes_attention() {
  return {[](const TokenTask& task) {
            with_elements(task.layout, [&]<typename T>() { attend_token<T, kHeads>(task); });
          },
          [](const ColumnTask& task) {
            with_elements(task.layout, [&]<typename T>() { attend_columns<T, kTokens>(task); });
          },
          [](const SharedTask& task) {
            with_elements(task.layout, [&]<typename T>() { attend_shared<T, kTokens>(task); });
          },
          [](const SelectedTask& task) {
            with_elements(task.layout, [&]<typename T>() { attend_selected<T, kHeads>(task); });
          },
          merge_states,
          finish_state,
          narrow_row};
}

}  // namespace
}  // namespace micius
