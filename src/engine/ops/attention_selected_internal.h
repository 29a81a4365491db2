// Selective V over Lanes; attention_kernels_internal.h comes first. The q heads of a K head are scored
// together, page by page; of the scores only those are kept that may be among the best, and their values
// alone are read.
#pragma once

#include <span>

#include "engine/ops/attention_best_internal.h"

namespace micius {
namespace {

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
