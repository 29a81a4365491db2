// Attention over Lanes; a lanes header comes first. Two kernels with the same bits: for one token lanes are
// keys in q.k and dims in p v; for many tokens lanes are columns, (token, q head) pairs, and keys and values
// are broadcast.
#pragma once

#include "engine/ops/attention_internal.h"
#include "engine/ops/exp_internal.h"

namespace micius {
namespace {

constexpr float kMasked = -1e30F;
constexpr float kLog2E = 1.442695041F;

template <typename T>
const T* elements(const std::byte* page) {
  return reinterpret_cast<const T*>(page);
}

// ---- one token

// Fetches what a reader of pages will come to. The heads of a task lie in a row within a page, K's before V's
// if it has all of them, so that a page is one stream.
struct Fetch {
  std::size_t ahead;
  const std::byte* end;  // of the page
  std::ptrdiff_t jump;   // from there to the next page

  template <std::size_t kBytes>
  void operator()(const void* at) const {
    const std::byte* next = static_cast<const std::byte*>(at) + ahead;
    if (next >= end) next += jump;
    for (std::size_t line = 0; line < kBytes; line += 64) __builtin_prefetch(next + line);
  }
};

// scores[h][64]: of kHeads heads that share a K tile. q: [kHeads, d_k], scaled.
template <typename T, int kHeads>
void score_page(const T* k_tile, const float* q, std::size_t d_k, const Fetch& fetch, float* scores) {
  Lanes sum[kHeads][4];
  for (auto& of_head : sum) {
    for (Lanes& lanes : of_head) lanes = Lanes::zero();
  }
  for (std::size_t d = 0; d < d_k; ++d) {
    fetch.template operator()<kPageTokens * sizeof(T)>(k_tile + d * kPageTokens);
    Lanes k[4];
    for (int i = 0; i < 4; ++i) k[i] = Lanes::load(k_tile + d * kPageTokens + 16 * i);
    for (int h = 0; h < kHeads; ++h) {
      const Lanes value = Lanes::broadcast(q[h * d_k + d]);
      for (int i = 0; i < 4; ++i) sum[h][i] = Lanes::fma(k[i], value, sum[h][i]);
    }
  }
  for (int h = 0; h < kHeads; ++h) {
    for (int i = 0; i < 4; ++i) sum[h][i].store(scores + h * kPageTokens + 16 * i);
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

// o += p v for kHeads heads that share a V tile, 16 * kWide dims, over the tokens [hidden, visible).
template <typename T, int kHeads, int kWide>
void add_values(const T* v, std::size_t v_stride, const float* weights, std::size_t hidden,
                std::size_t visible, const Fetch& fetch, float* o, std::size_t state_stride) {
  Lanes sum[kHeads][kWide];
  for (int h = 0; h < kHeads; ++h) {
    for (int i = 0; i < kWide; ++i) sum[h][i] = Lanes::load(o + h * state_stride + 16 * i);
  }
  for (std::size_t t = hidden; t < visible; ++t) {
    fetch.template operator()<16 * kWide * sizeof(T)>(v + t * v_stride);
    Lanes value[kWide];
    for (int i = 0; i < kWide; ++i) value[i] = Lanes::load(v + t * v_stride + 16 * i);
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
void add_values(const T* v, std::size_t v_stride, const float* weights, std::size_t hidden,
                std::size_t visible, const Fetch& fetch, float* state, std::size_t state_stride) {
  std::size_t d = 0;
  for (; d + 64 <= v_stride; d += 64) {
    add_values<T, kHeads, 4>(v + d, v_stride, weights, hidden, visible, fetch, state + kStateHead + d,
                             state_stride);
  }
  for (; d < v_stride; d += 16) {
    add_values<T, kHeads, 1>(v + d, v_stride, weights, hidden, visible, fetch, state + kStateHead + d,
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
  for (std::size_t first = task.hidden / kPageTokens * kPageTokens; first < task.tokens;
       first += kPageTokens) {
    const std::size_t index = first / kPageTokens;
    const T* page = elements<T>(task.pages[index]);
    const std::byte* const end = task.pages[index] + task.layout.page_bytes();
    const Fetch fetch{task.ahead, end, index + 1 < task.pages.size() ? task.pages[index + 1] - end : 0};
    const std::size_t hidden = task.hidden > first ? task.hidden - first : 0;
    const std::size_t visible = task.tokens - first < kPageTokens ? task.tokens - first : kPageTokens;
    for (std::size_t k = shape.k_head(task.heads.begin); k <= shape.k_head(task.heads.end - 1); ++k) {
      const HeadRange range = overlap(q_heads_of(k, shape.n_k, shape.n_q), task.heads);
      in_steps<kHeads>(range.begin - task.heads.begin, range.end - task.heads.begin,
                       [&]<int kCount>(std::size_t h) {
                         score_page<T, kCount>(page + task.layout.k_tile(k), q + h * shape.d_k, shape.d_k,
                                               fetch, scores + h * kPageTokens);
                       });
    }
    for (std::size_t h = 0; h < heads; ++h) {
      softmax_page(scores + h * kPageTokens, hidden, visible, task.states + h * stride, v_stride);
    }
    for (std::size_t v = shape.v_head(task.heads.begin); v <= shape.v_head(task.heads.end - 1); ++v) {
      const HeadRange range = overlap(q_heads_of(v, shape.n_v, shape.n_q), task.heads);
      in_steps<kHeads>(
          range.begin - task.heads.begin, range.end - task.heads.begin, [&]<int kCount>(std::size_t h) {
            add_values<T, kCount>(page + task.layout.v_tile(v), v_stride, scores + h * kPageTokens, hidden,
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

// ---- columns

struct Columns {
  std::size_t count, vectors;      // vectors of 16
  float *q, *weights, *o, *total;  // [d_k], [64], [v_stride], [v_stride], each x [kColumns]
  float *k, *v;                    // the page's tiles in fp32: [d_k][64], [64][v_stride]
  Lanes hidden[3], limit[3];       // the columns see the positions from `hidden` on, below `limit`
  Lanes m[3], l[3], total_m[3], total_l[3];
};

// p in registers: kTokens x kVectors sums over d.
template <int kTokens, int kVectors>
void score_columns(const Columns& c, std::size_t d_k, std::size_t t, float* weights) {
  Lanes sum[kTokens][kVectors];
  for (auto& of_token : sum) {
    for (Lanes& lanes : of_token) lanes = Lanes::zero();
  }
  for (std::size_t d = 0; d < d_k; ++d) {
    Lanes q[kVectors];
    for (int j = 0; j < kVectors; ++j) q[j] = Lanes::load(c.q + d * kColumns + 16 * j);
    for (int i = 0; i < kTokens; ++i) {
      const Lanes key = Lanes::broadcast(c.k[d * kPageTokens + t + i]);
      for (int j = 0; j < kVectors; ++j) sum[i][j] = Lanes::fma(key, q[j], sum[i][j]);
    }
  }
  for (int i = 0; i < kTokens; ++i) {
    for (int j = 0; j < kVectors; ++j) sum[i][j].store(weights + (t + i) * kColumns + 16 * j);
  }
}

template <int kDims, int kVectors>
void value_columns(const Columns& c, std::size_t v_stride, std::size_t d, std::size_t tokens) {
  Lanes sum[kDims][kVectors];
  for (int i = 0; i < kDims; ++i) {
    for (int j = 0; j < kVectors; ++j) sum[i][j] = Lanes::load(c.o + (d + i) * kColumns + 16 * j);
  }
  for (std::size_t t = 0; t < tokens; ++t) {
    Lanes p[kVectors];
    for (int j = 0; j < kVectors; ++j) p[j] = Lanes::load(c.weights + t * kColumns + 16 * j);
    for (int i = 0; i < kDims; ++i) {
      const Lanes value = Lanes::broadcast(c.v[t * v_stride + d + i]);
      for (int j = 0; j < kVectors; ++j) sum[i][j] = Lanes::fma(value, p[j], sum[i][j]);
    }
  }
  for (int i = 0; i < kDims; ++i) {
    for (int j = 0; j < kVectors; ++j) sum[i][j].store(c.o + (d + i) * kColumns + 16 * j);
  }
}

// Masks, exponentials and sums of vector j over `tokens` keys, a multiple of 8; weights of later keys count
// as 0.
inline void softmax_columns(Columns& c, std::size_t j, std::size_t first, std::size_t tokens, bool masked,
                            std::size_t v_stride) {
  float* weights = c.weights + 16 * j;
  Lanes m = c.m[j];
  for (std::size_t t = 0; t < tokens; ++t) {
    Lanes s = Lanes::load(weights + t * kColumns);
    if (masked) {
      const auto position = static_cast<float>(first + t);
      s = Lanes::where_above(c.limit[j], position, s, Lanes::broadcast(kMasked));
      s = Lanes::where_above(c.hidden[j], position, Lanes::broadcast(kMasked), s);
      s.store(weights + t * kColumns);
    }
    m = Lanes::max(s, m);
  }
  Lanes part[16];
  for (std::size_t i = 0; i < 16; ++i) {
    Lanes p[4];
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
      const std::size_t t = i + 16 * quarter;
      p[quarter] = Lanes::zero();
      if (t >= tokens) continue;
      p[quarter] = exp2(Lanes::load(weights + t * kColumns) - m);
      p[quarter].store(weights + t * kColumns);
    }
    part[i] = (p[0] + p[1]) + (p[2] + p[3]);
  }
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) part[i] = part[i] + part[i + width];
  }
  const Lanes factor = exp2(c.m[j] - m);
  c.l[j] = Lanes::fma(c.l[j], factor, part[0]);
  c.m[j] = m;
  for (std::size_t d = 0; d < v_stride; ++d) {
    float* o = c.o + d * kColumns + 16 * j;
    (Lanes::load(o) * factor).store(o);
  }
}

// One page for all columns. kTokens keys or dims times kVectors stay in registers.
template <int kTokens, int kVectors>
void columns_page(Columns& c, const KvLayout& layout, std::size_t first, std::size_t tokens, bool masked) {
  for (std::size_t t = 0; t < tokens; t += kTokens)
    score_columns<kTokens, kVectors>(c, layout.shape.d_k, t, c.weights);
  for (int j = 0; j < kVectors; ++j) softmax_columns(c, j, first, tokens, masked, layout.v_stride());
  for (std::size_t d = 0; d < layout.v_stride(); d += kTokens) {
    value_columns<kTokens, kVectors>(c, layout.v_stride(), d, tokens);
  }
}

template <typename T>
void widen(const T* from, std::size_t n, float* to) {  // n is a multiple of 16
  for (std::size_t i = 0; i < n; i += 16) Lanes::load(from + i).store(to + i);
}

// How many of the first `seen` positions the window leaves out.
inline std::size_t hidden_of(const ColumnTask& task, std::size_t seen) {
  return task.window > 0 && seen > task.window ? seen - task.window : 0;
}

inline Columns make_columns(const ColumnTask& task) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t heads = task.heads.end - task.heads.begin, v_stride = task.layout.v_stride();
  Columns c;
  c.count = task.tokens * heads;
  c.vectors = (c.count + 15) / 16;
  c.q = task.scratch;
  c.weights = c.q + kColumns * shape.d_k;
  c.o = c.weights + kColumns * kPageTokens;
  c.total = c.o + kColumns * v_stride;
  c.k = c.total + kColumns * v_stride;
  c.v = c.k + kPageTokens * shape.d_k;
  const float scale = shape.scale * kLog2E;
  float hidden[kColumns], limit[kColumns];
  for (std::size_t column = 0; column < c.vectors * 16; ++column) {
    const std::size_t source = column < c.count ? column : c.count - 1;  // spare columns repeat the last
    const std::size_t token = source / heads, head = task.heads.begin + source % heads;
    const float* q = task.q + token * task.q_stride + head * shape.d_k;
    for (std::size_t d = 0; d < shape.d_k; ++d) c.q[d * kColumns + column] = q[d] * scale;
    const std::size_t seen = task.first_seen + token * task.seen_step;
    limit[column] = static_cast<float>(seen);
    hidden[column] = static_cast<float>(hidden_of(task, seen));
  }
  for (std::size_t j = 0; j < c.vectors; ++j) {
    c.hidden[j] = Lanes::load(hidden + 16 * j);
    c.limit[j] = Lanes::load(limit + 16 * j);
  }
  return c;
}

// Takes the finished block into the total.
inline void merge_columns(Columns& c, std::size_t v_stride, bool first_block) {
  for (std::size_t j = 0; j < c.vectors; ++j) {
    const Lanes m = first_block ? c.m[j] : Lanes::max(c.m[j], c.total_m[j]);
    const Lanes a = first_block ? Lanes::zero() : exp2(c.total_m[j] - m), b = exp2(c.m[j] - m);
    c.total_l[j] = first_block ? c.l[j] : Lanes::fma(c.total_l[j], a, c.l[j] * b);
    c.total_m[j] = m;
    for (std::size_t d = 0; d < v_stride; ++d) {
      const std::size_t at = d * kColumns + 16 * j;
      const Lanes o = Lanes::load(c.o + at);
      (first_block ? o : Lanes::fma(Lanes::load(c.total + at), a, o * b)).store(c.total + at);
    }
  }
}

inline void finish_columns(const Columns& c, const ColumnTask& task) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t heads = task.heads.end - task.heads.begin;
  for (std::size_t j = 0; j < c.vectors; ++j) {
    const Lanes factor = Lanes::broadcast(1.0F) / c.total_l[j];
    for (std::size_t d = 0; d < shape.d_v; ++d) {
      float* o = c.total + d * kColumns + 16 * j;
      (Lanes::load(o) * factor).store(o);
    }
  }
  for (std::size_t column = 0; column < c.count; ++column) {
    const std::size_t token = column / heads, head = task.heads.begin + column % heads;
    float* out = task.out + (token * shape.n_q + head) * shape.d_v;
    for (std::size_t d = 0; d < shape.d_v; ++d) out[d] = c.total[d * kColumns + column];
  }
}

template <typename T, int kTokens>
void attend_columns(const ColumnTask& task) {
  const KvLayout& layout = task.layout;
  const std::size_t v_stride = layout.v_stride();
  const std::size_t end = task.first_seen + (task.tokens - 1) * task.seen_step;
  const std::size_t begin = hidden_of(task, task.first_seen), hidden = hidden_of(task, end);
  const std::size_t first_block = begin / kBlockTokens * kBlockTokens;
  Columns c = make_columns(task);
  for (std::size_t block = first_block; block < end; block += kBlockTokens) {
    for (std::size_t j = 0; j < c.vectors; ++j) {
      c.m[j] = Lanes::broadcast(kMasked);
      c.l[j] = Lanes::zero();
    }
    for (std::size_t i = 0; i < v_stride * kColumns; i += 16) Lanes::zero().store(c.o + i);
    const std::size_t first_page = block == first_block ? begin / kPageTokens * kPageTokens : block;
    for (std::size_t first = first_page; first < end && first < block + kBlockTokens; first += kPageTokens) {
      const T* page = elements<T>(task.pages[first / kPageTokens]);
      const std::size_t left = end - first, tokens = left < kPageTokens ? (left + 7) / 8 * 8 : kPageTokens;
      widen(page + layout.k_tile(layout.shape.k_head(task.heads.begin)), layout.shape.d_k * kPageTokens, c.k);
      widen(page + layout.v_tile(layout.shape.v_head(task.heads.begin)), v_stride * kPageTokens, c.v);
      const bool masked = first + tokens > task.first_seen || first < hidden;
      if (c.vectors == 1) columns_page<kTokens, 1>(c, layout, first, tokens, masked);
      if (c.vectors == 2) columns_page<kTokens, 2>(c, layout, first, tokens, masked);
      if (c.vectors == 3) columns_page<kTokens, 3>(c, layout, first, tokens, masked);
    }
    merge_columns(c, v_stride, block == first_block);
  }
  finish_columns(c, task);
}

}  // namespace
}  // namespace micius
