// Selective V over Lanes; attention_kernels_internal.h comes first. All scores of a token are held, then the
// values of the chosen positions alone are read.
#pragma once

#include <algorithm>
#include <functional>

namespace micius {
namespace {

// The positions of the `top` highest scores, rising; of equal scores the earlier. Writes them to `chosen` and
// returns how many there are. `copy`: room for `count` scores.
inline std::size_t choose(const float* scores, std::size_t count, std::size_t top, float* copy,
                          std::uint32_t* chosen) {
  std::copy_n(scores, count, copy);
  std::nth_element(copy, copy + (top - 1), copy + count, std::greater<>());
  const float least = copy[top - 1];
  auto equal =
      top - static_cast<std::size_t>(std::count_if(copy, copy + top, [&](float s) { return s > least; }));
  std::size_t n = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (scores[i] > least || (scores[i] == least && equal > 0)) {
      if (scores[i] == least) --equal;
      chosen[n++] = static_cast<std::uint32_t>(i);
    }
  }
  return n;
}

// scores: [count] become weights 2^(s - m); returns their sum.
inline float weigh(float* scores, std::size_t count, float m) {
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

template <typename T>
void add_chosen(const SelectedTask& task, std::size_t v_head, std::size_t n, const float* weights, float* o) {
  const std::size_t v_stride = task.layout.v_stride();
  for (std::size_t d = 0; d < v_stride; d += 16) Lanes::zero().store(o + d);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t position = task.hidden + task.chosen[i];
    const Tile<T> tile = v_tile<T>(task.layout, task.pages[position / kPageTokens], v_head);
    const Lanes weight = Lanes::broadcast(weights[i]);
    for (std::size_t d = 0; d < v_stride; d += 16) {
      Lanes::fma(tile.values(position % kPageTokens, v_stride, d), weight, Lanes::load(o + d)).store(o + d);
    }
  }
}

template <typename T>
void attend_selected(const SelectedTask& task) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t count = task.seen - task.hidden, first_page = task.hidden / kPageTokens * kPageTokens;
  float *q = task.scratch, *page_scores = q + shape.d_k, *o = page_scores + kPageTokens;
  float *scores = o + task.layout.v_stride(), *copy = scores + count;
  const float scale = shape.scale * kLog2E;
  Fetch none({});
  for (std::size_t h = task.heads.begin; h < task.heads.end; ++h) {
    for (std::size_t d = 0; d < shape.d_k; ++d) q[d] = task.q[h * shape.d_k + d] * scale;
    for (std::size_t first = first_page; first < task.seen; first += kPageTokens) {
      const Tile<T> tile = k_tile<T>(task.layout, task.pages[first / kPageTokens], shape.k_head(h));
      score_page<T, 1, 4>(tile, q, shape.d_k, none, page_scores);
      const std::size_t begin = first > task.hidden ? first : task.hidden;
      const std::size_t end = first + kPageTokens < task.seen ? first + kPageTokens : task.seen;
      std::copy_n(page_scores + (begin - first), end - begin, scores + (begin - task.hidden));
    }
    const float m = *std::max_element(scores, scores + count);
    const std::size_t n = choose(scores, count, task.top, copy, task.chosen);
    for (std::size_t i = 0; i < n; ++i) copy[i] = scores[task.chosen[i]];
    float sum = weigh(copy, n, m);
    if (task.weights == SelectedWeights::kRaw) sum = weigh(scores, count, m);
    add_chosen<T>(task, shape.v_head(h), n, copy, o);
    const Lanes factor = Lanes::broadcast(1.0F / sum);
    float* out = task.out + h * shape.d_v;
    for (std::size_t d = 0; d < shape.d_v; d += 16) {
      const std::size_t left = shape.d_v - d < 16 ? shape.d_v - d : 16;
      (Lanes::load(o + d) * factor).store(out + d, left);
    }
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
            with_elements(task.layout, [&]<typename T>() { attend_selected<T>(task); });
          },
          merge_states,
          finish_state,
          narrow_row};
}

}  // namespace
}  // namespace micius
