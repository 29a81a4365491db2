// Attention of one token over Lanes, and what its kernels share with those for many; a lanes header comes
// first. Lanes are keys in q.k and dims in p v.
#pragma once

#include "engine/ops/attention_internal.h"
#include "engine/ops/attention_tiles_internal.h"
#include "engine/ops/exp_internal.h"
#include "engine/ops/fetch_internal.h"

namespace micius {
namespace {

constexpr float kMasked = -1e30F;
constexpr float kLog2E = 1.442695041F;

// scores[h][64]: of kHeads heads that share a K tile, 16 * kWide keys at a time. q: [kHeads, d_k], scaled.
template <typename T, int kHeads, int kWide>
void score_page(const Tile<T>& tile, const float* q, std::size_t d_k, Fetch& fetch, float* scores) {
  for (int first = 0; first < 4; first += kWide) {
    Lanes sum[kHeads][kWide];
    for (auto& of_head : sum) {
      for (Lanes& lanes : of_head) lanes = Lanes::zero();
    }
    for (std::size_t d = 0; d < d_k; ++d) {
      fetch.template operator()<kPageTokens * sizeof(T)>(tile.data + d * kPageTokens);
      Lanes k[kWide];
      for (int i = 0; i < kWide; ++i) k[i] = tile.keys(d, first + i);
      for (int h = 0; h < kHeads; ++h) {
        const Lanes value = Lanes::broadcast(q[h * d_k + d]);
        for (int i = 0; i < kWide; ++i) sum[h][i] = Lanes::fma(k[i], value, sum[h][i]);
      }
    }
    for (int h = 0; h < kHeads; ++h) {
      for (int i = 0; i < kWide; ++i) sum[h][i].store(scores + h * kPageTokens + 16 * (first + i));
    }
  }
}

// Turns scores into weights and brings the state to the page's maximum.
inline void softmax_page(float* scores, std::size_t hidden, std::size_t visible, float* state,
                         std::size_t v_stride) {
  const Lanes masked = Lanes::broadcast(kMasked);
  Lanes s[4];
  for (int i = 0; i < 4; ++i) {
    s[i] = Lanes::first(Lanes::load(scores + 16 * i), static_cast<std::int64_t>(visible) - 16 * i, masked);
    if (hidden > 0) s[i] = Lanes::first(masked, static_cast<std::int64_t>(hidden) - 16 * i, s[i]);
  }
  const float largest = Lanes::max(Lanes::max(s[0], s[1]), Lanes::max(s[2], s[3])).max();
  const float m = largest > state[0] ? largest : state[0];
  for (Lanes& lanes : s) lanes = exp2(lanes - Lanes::broadcast(m));
  const float sum = ((s[0] + s[1]) + (s[2] + s[3])).sum();
  for (int i = 0; i < 4; ++i) s[i].store(scores + 16 * i);
  if (m > state[0]) {
    const Lanes factor = exp2(Lanes::broadcast(state[0] - m));
    for (std::size_t d = 0; d < v_stride; d += 16) {
      (Lanes::load(state + kStateHead + d) * factor).store(state + kStateHead + d);
    }
    Lanes::fma(Lanes::broadcast(state[1]), factor, Lanes::broadcast(sum)).store(state + 1, 1);
    state[0] = m;
  } else {
    state[1] += sum;
  }
}

// o += p v for kHeads heads that share a V tile, dims d to d + 16 * kWide - 1, over the tokens [hidden,
// visible).
template <typename T, int kHeads, int kWide>
void add_values(const Tile<T>& v, std::size_t v_stride, std::size_t d, const float* weights,
                std::size_t hidden, std::size_t visible, Fetch& fetch, float* o, std::size_t state_stride) {
  Lanes sum[kHeads][kWide];
  for (int h = 0; h < kHeads; ++h) {
    for (int i = 0; i < kWide; ++i) sum[h][i] = Lanes::load(o + h * state_stride + 16 * i);
  }
  for (std::size_t t = hidden; t < visible; ++t) {
    fetch.template operator()<16 * kWide * sizeof(T)>(v.data + t * v_stride + d);
    Lanes value[kWide];
    for (int i = 0; i < kWide; ++i) value[i] = v.values(t, v_stride, d + 16 * i);
    for (int h = 0; h < kHeads; ++h) {
      const Lanes weight = Lanes::broadcast(weights[h * kPageTokens + t]);
      for (int i = 0; i < kWide; ++i) sum[h][i] = Lanes::fma(value[i], weight, sum[h][i]);
    }
  }
  for (int h = 0; h < kHeads; ++h) {
    for (int i = 0; i < kWide; ++i) sum[h][i].store(o + h * state_stride + 16 * i);
  }
}

template <typename T, int kHeads>
void add_values(const Tile<T>& v, std::size_t v_stride, const float* weights, std::size_t hidden,
                std::size_t visible, Fetch& fetch, float* state, std::size_t state_stride) {
  std::size_t d = 0;
  for (; d + 64 <= v_stride; d += 64) {
    add_values<T, kHeads, 4>(v, v_stride, d, weights, hidden, visible, fetch, state + kStateHead + d,
                             state_stride);
  }
  for (; d < v_stride; d += 16) {
    add_values<T, kHeads, 1>(v, v_stride, d, weights, hidden, visible, fetch, state + kStateHead + d,
                             state_stride);
  }
}

// Calls each(heads, first head) with heads as a constant, for [begin, end) in steps of up to kMost.
template <int kMost, typename F>
void in_steps(std::size_t begin, std::size_t end, F each) {
  for (; begin + kMost <= end; begin += kMost) each.template operator()<kMost>(begin);
  if constexpr (kMost > 1) {
    if (begin < end) in_steps<kMost - 1>(begin, end, each);
  }
}

inline HeadRange overlap(HeadRange a, HeadRange b) {
  return {a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

template <typename T, int kHeads>
void attend_token(const TokenTask& task) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t v_stride = task.layout.v_stride(), stride = state_floats(task.layout);
  const std::size_t heads = task.heads.end - task.heads.begin;
  float *q = task.scratch, *scores = q + heads * shape.d_k;
  const float scale = shape.scale * kLog2E;
  for (std::size_t i = 0; i < heads * shape.d_k; ++i) q[i] = task.q[task.heads.begin * shape.d_k + i] * scale;
  for (std::size_t h = 0; h < heads; ++h) {
    float* state = task.states + h * stride;
    for (std::size_t i = 0; i < stride; ++i) state[i] = 0;
    state[0] = kMasked;
  }
  Fetch fetch(task.ahead);
  for (std::size_t first = task.hidden / kPageTokens * kPageTokens; first < task.tokens;
       first += kPageTokens) {
    const std::size_t index = first / kPageTokens;
    const std::byte* const page = task.pages[index];
    fetch.turn(page, task.layout.page_bytes(),
               index + 1 < task.pages.size() ? task.pages[index + 1] : nullptr);
    const std::size_t hidden = task.hidden > first ? task.hidden - first : 0;
    const std::size_t visible = task.tokens - first < kPageTokens ? task.tokens - first : kPageTokens;
    for (std::size_t k = shape.k_head(task.heads.begin); k <= shape.k_head(task.heads.end - 1); ++k) {
      const HeadRange range = overlap(q_heads_of(k, shape.n_k, shape.n_q), task.heads);
      in_steps<2 * kHeads>(range.begin - task.heads.begin, range.end - task.heads.begin,
                           [&]<int kCount>(std::size_t h) {
                             score_page<T, kCount, kCount <= kHeads ? 4 : 2>(k_tile<T>(task.layout, page, k),
                                                                             q + h * shape.d_k, shape.d_k,
                                                                             fetch, scores + h * kPageTokens);
                           });
    }
    const std::byte* const values = page + task.layout.v_tile(shape.v_head(task.heads.begin)) * sizeof(T);
    for (std::size_t h = 0; h < heads; ++h) {
      for (int i = 0; i < 4; ++i) fetch.template operator()<64>(values);
      softmax_page(scores + h * kPageTokens, hidden, visible, task.states + h * stride, v_stride);
    }
    for (std::size_t v = shape.v_head(task.heads.begin); v <= shape.v_head(task.heads.end - 1); ++v) {
      const HeadRange range = overlap(q_heads_of(v, shape.n_v, shape.n_q), task.heads);
      in_steps<kHeads>(
          range.begin - task.heads.begin, range.end - task.heads.begin, [&]<int kCount>(std::size_t h) {
            add_values<T, kCount>(v_tile<T>(task.layout, page, v), v_stride, scores + h * kPageTokens, hidden,
                                  visible, fetch, task.states + h * stride, stride);
          });
    }
  }
}

inline void merge_states(const KvLayout& layout, float* state, const float* later) {
  const float m = later[0] > state[0] ? later[0] : state[0];
  const Lanes a = exp2(Lanes::broadcast(state[0] - m)), b = exp2(Lanes::broadcast(later[0] - m));
  Lanes::fma(Lanes::broadcast(state[1]), a, Lanes::broadcast(later[1]) * b).store(state + 1, 1);
  state[0] = m;
  for (std::size_t d = kStateHead; d < state_floats(layout); d += 16) {
    Lanes::fma(Lanes::load(state + d), a, Lanes::load(later + d) * b).store(state + d);
  }
}

inline void finish_state(const KvLayout& layout, const float* state, float* out) {
  const Lanes factor = Lanes::broadcast(1.0F / state[1]);
  for (std::size_t d = 0; d < layout.shape.d_v; d += 16) {
    const std::size_t left = layout.shape.d_v - d < 16 ? layout.shape.d_v - d : 16;
    (Lanes::load(state + kStateHead + d) * factor).store(out + d, left);
  }
}

}  // namespace
}  // namespace micius
