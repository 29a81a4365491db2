// The inner loops of attention, one table for each instruction set.
//
// For each (token, q head), whichever kernel takes it:
//   for each block of kBlockPages pages, for each page in order: s = log2(e) * scale * q.k in the order of
//   dims;
//     m' = max(m, largest s); p = 2^(s - m'); l = l * 2^(m - m') + sum of p, tokens i, i + 16, i + 32, i + 48
//     first, then halves; o = o * 2^(m - m') + p v in the order of tokens
//   the blocks' (m, l, o) are merged in order; the result is o / l.
// A key or value of kQ8_0 is its code times its token's scale, rounded, before anything else.
// So the bits depend on the token's own keys alone, not on the kernel, the threads or the rest of the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/cpu.h"
#include "engine/kv_page.h"
#include "engine/ops/attention.h"

namespace micius {

inline constexpr std::size_t kBlockPages = 4, kBlockTokens = kBlockPages * kPageTokens;
inline constexpr std::size_t kColumns = 48;  // (token, q head) pairs that the kernels for many take together

// The state of one q head: m, l, and o from the 16th float on.
inline constexpr std::size_t kStateHead = 16;
inline std::size_t state_floats(const KvLayout& layout) { return kStateHead + layout.v_stride(); }

// q heads [begin, end) that read one K head, or one V head, of `heads`.
struct HeadRange {
  std::size_t begin, end;
};
inline HeadRange q_heads_of(std::size_t head, std::size_t heads, std::size_t n_q) {
  return {(head * n_q + heads - 1) / heads, ((head + 1) * n_q + heads - 1) / heads};
}

// One token, some q heads with their K and V heads, one block.
struct TokenTask {
  const KvLayout& layout;
  std::span<const std::byte* const> pages;  // of the block and of what is read after it
  FetchAhead ahead;
  std::size_t hidden, tokens;  // of the block [hidden, tokens) are visible, at least one
  const float* q;              // the token's row: [n_q, d_k]
  HeadRange heads;
  float* states;   // [heads] of state_floats(), written
  float* scratch;  // token_scratch_floats()
};
inline std::size_t token_scratch_floats(const KvLayout& layout) {
  return layout.shape.n_q * (layout.shape.d_k + kPageTokens);
}

// Some tokens of a slice whose first seen positions lie in one block, as the last ones do, and q heads that
// share both K and V head, at most kColumns pairs.
struct ColumnTask {
  const KvLayout& layout;
  const std::byte* const* pages;  // of the sequence
  std::size_t tokens, first_seen,
      seen_step;       // token t sees the first `first_seen + t * seen_step` positions,
  std::size_t window;  // the last `window` of them; 0: all
  HeadRange heads;
  const float* q;  // row of the first token
  std::size_t q_stride;
  float* out;      // row of the first token
  float* scratch;  // column_scratch_floats()
};
inline std::size_t column_scratch_floats(const KvLayout& layout) {
  return kColumns * (layout.shape.d_k + kPageTokens + 2 * layout.v_stride()) +
         kPageTokens * (layout.shape.d_k + layout.v_stride());
}

// Some tokens of any sequences and q heads that share both K and V head, at most kColumns pairs; one block of
// kBlockPages pages, all of which they see.
struct SharedTask {
  const KvLayout& layout;
  const std::byte* const* pages;  // of the block
  HeadRange heads;
  std::span<const float* const> q;  // the tokens' rows: [n_q, d_k]
  std::span<float* const> states;   // of each token: [n_q] of state_floats(); those of `heads` are written
  float* scratch;                   // column_scratch_floats()
};

// So many scores and positions a head keeps until it looks which are the best; with room for another page's,
// and for Lanes to read past them.
inline constexpr std::size_t kTimesTop = 2;
inline std::size_t candidates_of(std::size_t top) { return kTimesTop * top + kPageTokens + 16; }

// One token and at most kSelectedHeads q heads of one K head, with the values of the `top` highest scores
// alone; top <= seen - hidden.
inline constexpr std::size_t kSelectedHeads = 8;
struct SelectedTask {
  const KvLayout& layout;
  const std::byte* const* pages;  // of the sequence
  FetchAhead ahead;
  std::size_t hidden, seen;  // positions [hidden, seen) are visible
  std::size_t top;
  SelectedWeights weights;
  HeadRange heads;
  const float* q;            // the token's row: [n_q, d_k]
  float* out;                // the token's row
  float* scratch;            // selected_scratch_floats()
  float* scores;             // [heads] of candidates_of(top)
  std::uint32_t* positions;  // the same
};
inline std::size_t selected_scratch_floats(const KvLayout& layout) {
  return kSelectedHeads * (layout.shape.d_k + kPageTokens + kStateHead);
}

struct AttentionKernels {
  void (*attend_token)(const TokenTask& task);
  void (*attend_columns)(const ColumnTask& task);
  void (*attend_shared)(const SharedTask& task);
  void (*attend_selected)(const SelectedTask& task);
  void (*merge)(const KvLayout& layout, float* state, const float* later);  // state: blocks so far, updated
  void (*finish)(const KvLayout& layout, const float* state, float* out);   // out: [d_v]
  void (*narrow)(const float* x, std::size_t n, std::uint16_t* half);       // to f16
};

AttentionKernels attention_plain();
AttentionKernels attention_avx2();
AttentionKernels attention_avx512();

}  // namespace micius
