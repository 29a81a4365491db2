// Attention of many tokens over Lanes, with the bits of the kernel for one; attention_kernels_internal.h
// comes first. Lanes are columns, (token, q head) pairs; keys and values are broadcast.
#pragma once

#include <span>

namespace micius {
namespace {

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

// Leaves out what the columns of vector j do not see of keys `first` on.
inline void mask_columns(const Columns& c, std::size_t j, std::size_t first, std::size_t tokens) {
  float* weights = c.weights + 16 * j;
  for (std::size_t t = 0; t < tokens; ++t) {
    const auto position = static_cast<float>(first + t);
    Lanes s = Lanes::load(weights + t * kColumns);
    s = Lanes::where_above(c.limit[j], position, s, Lanes::broadcast(kMasked));
    s = Lanes::where_above(c.hidden[j], position, Lanes::broadcast(kMasked), s);
    s.store(weights + t * kColumns);
  }
}

// Exponentials and sums of vector j over `tokens` keys, a multiple of 8; weights of later keys count as 0.
inline void softmax_columns(Columns& c, std::size_t j, std::size_t tokens, std::size_t v_stride) {
  float* weights = c.weights + 16 * j;
  Lanes largest[4] = {c.m[j], c.m[j], c.m[j], c.m[j]};
  for (std::size_t t = 0; t < tokens; ++t)
    largest[t % 4] = Lanes::max(Lanes::load(weights + t * kColumns), largest[t % 4]);
  const Lanes m = Lanes::max(Lanes::max(largest[0], largest[1]), Lanes::max(largest[2], largest[3]));
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
  if (Lanes::same(c.m[j], m)) return;  // all factors are 1
  c.m[j] = m;
  for (std::size_t d = 0; d < v_stride; ++d) {
    float* o = c.o + d * kColumns + 16 * j;
    (Lanes::load(o) * factor).store(o);
  }
}

// One widened page for all columns. kTokens keys or dims times kVectors stay in registers.
template <int kTokens, int kVectors>
void page_columns(Columns& c, const KvLayout& layout, std::size_t first, std::size_t tokens, bool masked) {
  for (std::size_t t = 0; t < tokens; t += kTokens)
    score_columns<kTokens, kVectors>(c, layout.shape.d_k, t, c.weights);
  for (int j = 0; j < kVectors; ++j) {
    if (masked) mask_columns(c, j, first, tokens);
    softmax_columns(c, j, tokens, layout.v_stride());
  }
  for (std::size_t d = 0; d < layout.v_stride(); d += kTokens) {
    value_columns<kTokens, kVectors>(c, layout.v_stride(), d, tokens);
  }
}

// The page of positions `first` to `first + tokens - 1`, with the tiles that q head `head` reads.
template <typename T, int kTokens>
void read_page(Columns& c, const KvLayout& layout, const std::byte* page, std::size_t head, std::size_t first,
               std::size_t tokens, bool masked) {
  const Tile<T> keys = k_tile<T>(layout, page, layout.shape.k_head(head));
  for (std::size_t d = 0; d < layout.shape.d_k; ++d) {
    for (int i = 0; i < 4; ++i) keys.keys(d, i).store(c.k + d * kPageTokens + 16 * i);
  }
  const Tile<T> values = v_tile<T>(layout, page, layout.shape.v_head(head));
  const std::size_t v_stride = layout.v_stride();
  for (std::size_t t = 0; t < kPageTokens; ++t) {
    for (std::size_t d = 0; d < v_stride; d += 16)
      values.values(t, v_stride, d).store(c.v + t * v_stride + d);
  }
  if (c.vectors == 1) page_columns<kTokens, 1>(c, layout, first, tokens, masked);
  if (c.vectors == 2) page_columns<kTokens, 2>(c, layout, first, tokens, masked);
  if (c.vectors == 3) page_columns<kTokens, 3>(c, layout, first, tokens, masked);
}

// How many of the first `seen` positions the window leaves out.
inline std::size_t hidden_of(const ColumnTask& task, std::size_t seen) {
  return task.window > 0 && seen > task.window ? seen - task.window : 0;
}

inline Columns make_columns(const AttentionShape& shape, std::size_t v_stride, std::size_t count,
                            float* scratch) {
  Columns c;
  c.count = count;
  c.vectors = (count + 15) / 16;
  c.q = scratch;
  c.weights = c.q + kColumns * shape.d_k;
  c.o = c.weights + kColumns * kPageTokens;
  c.total = c.o + kColumns * v_stride;
  c.k = c.total + kColumns * v_stride;
  c.v = c.k + kPageTokens * shape.d_k;
  return c;
}

// Spare columns repeat the last.
template <typename F>
void fill_columns(Columns& c, F each) {
  for (std::size_t column = 0; column < c.vectors * 16; ++column) {
    each(column, column < c.count ? column : c.count - 1);
  }
}

inline void fill_column(Columns& c, std::size_t column, const float* q, const AttentionShape& shape) {
  const float scale = shape.scale * kLog2E;
  for (std::size_t d = 0; d < shape.d_k; ++d) c.q[d * kColumns + column] = q[d] * scale;
}

inline Columns columns_of(const ColumnTask& task) {
  const AttentionShape& shape = task.layout.shape;
  const std::size_t heads = task.heads.end - task.heads.begin;
  Columns c = make_columns(shape, task.layout.v_stride(), task.tokens * heads, task.scratch);
  float hidden[kColumns], limit[kColumns];
  fill_columns(c, [&](std::size_t column, std::size_t source) {
    const std::size_t token = source / heads, head = task.heads.begin + source % heads;
    fill_column(c, column, task.q + token * task.q_stride + head * shape.d_k, shape);
    const std::size_t seen = task.first_seen + token * task.seen_step;
    limit[column] = static_cast<float>(seen);
    hidden[column] = static_cast<float>(hidden_of(task, seen));
  });
  for (std::size_t j = 0; j < c.vectors; ++j) {
    c.hidden[j] = Lanes::load(hidden + 16 * j);
    c.limit[j] = Lanes::load(limit + 16 * j);
  }
  return c;
}

inline void begin_block(Columns& c, std::size_t v_stride) {
  for (std::size_t j = 0; j < c.vectors; ++j) {
    c.m[j] = Lanes::broadcast(kMasked);
    c.l[j] = Lanes::zero();
  }
  for (std::size_t i = 0; i < v_stride * kColumns; i += 16) Lanes::zero().store(c.o + i);
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
  Columns c = columns_of(task);
  for (std::size_t block = first_block; block < end; block += kBlockTokens) {
    begin_block(c, v_stride);
    const std::size_t first_page = block == first_block ? begin / kPageTokens * kPageTokens : block;
    for (std::size_t first = first_page; first < end && first < block + kBlockTokens; first += kPageTokens) {
      const std::size_t left = end - first, tokens = left < kPageTokens ? (left + 7) / 8 * 8 : kPageTokens;
      const bool masked = first + tokens > task.first_seen || first < hidden;
      read_page<T, kTokens>(c, layout, task.pages[first / kPageTokens], task.heads.begin, first, tokens,
                            masked);
    }
    merge_columns(c, v_stride, block == first_block);
  }
  finish_columns(c, task);
}

template <typename T, int kTokens>
void attend_shared(const SharedTask& task) {
  const KvLayout& layout = task.layout;
  const std::size_t heads = task.heads.end - task.heads.begin, v_stride = layout.v_stride();
  Columns c = make_columns(layout.shape, v_stride, task.q.size() * heads, task.scratch);
  const auto head_of = [&](std::size_t column) { return task.heads.begin + column % heads; };
  fill_columns(c, [&](std::size_t column, std::size_t source) {
    fill_column(c, column, task.q[source / heads] + head_of(source) * layout.shape.d_k, layout.shape);
  });
  begin_block(c, v_stride);
  for (std::size_t page = 0; page < kBlockPages; ++page) {
    read_page<T, kTokens>(c, layout, task.pages[page], task.heads.begin, 0, kPageTokens, false);
  }
  float m[kColumns], l[kColumns];
  for (std::size_t j = 0; j < c.vectors; ++j) {
    c.m[j].store(m + 16 * j);
    c.l[j].store(l + 16 * j);
  }
  for (std::size_t column = 0; column < c.count; ++column) {
    float* state = task.states[column / heads] + head_of(column) * state_floats(layout);
    state[0] = m[column];
    state[1] = l[column];
    for (std::size_t d = 0; d < v_stride; ++d) state[kStateHead + d] = c.o[d * kColumns + column];
  }
}

}  // namespace
}  // namespace micius
