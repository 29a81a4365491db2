// Attention over pages, for prompts, chunks and single tokens of many sequences in one call.
// DiffQKV: arXiv 2501.13629, section 2. Online softmax: Milakov and Gimelshein, 2018.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/kv_page.h"
#include "engine/ops/op_context.h"
#include "engine/ops/value_selection.h"

namespace micius {

// Writes one token into slot `slot` (0 to 63) of a page. k: [n_k * d_k], RoPE applied; v: [n_v * d_v]. The
// page (64-byte aligned) is zeroed memory when its first token is written.
void store_kv(const KvLayout& layout, std::byte* page, std::size_t slot, std::span<const float> k,
              std::span<const float> v, const OpContext& context);

// What a new token sees: the positions up to its own, or, in an encoder, the whole sequence.
enum class AttentionMask { kCausal, kNone };

// New tokens of one sequence. Their keys and values are in the pages already.
struct AttentionSlice {
  std::span<std::byte* const>
      pages;  // of this sequence and layer, in order; page i holds positions 64 i to 64 i + 63
  std::size_t first_position = 0;  // of the first new token
  std::size_t tokens = 0;
  std::size_t first_row = 0;  // of token 0 in q and out
  AttentionMask mask = AttentionMask::kCausal;
  ValueSelection selection = {};
  std::size_t window = 0;  // with kCausal: a token sees so many positions at most, its own the last; 0: all

  // Token `t` sees the positions from hidden(t) to seen(t) - 1.
  std::size_t seen(std::size_t t) const {
    return first_position + (mask == AttentionMask::kCausal ? t + 1 : tokens);
  }
  std::size_t hidden(std::size_t t) const { return window > 0 && seen(t) > window ? seen(t) - window : 0; }
};

// q: rows of n_q * d_k floats, RoPE applied, not scaled; rows are q_stride floats apart. out: [rows, n_q *
// d_v]. A row's result does not depend on the other rows or slices of the call.
void attend(const KvLayout& layout, std::span<const AttentionSlice> slices, const float* q,
            std::size_t q_stride, std::span<float> out, const OpContext& context);

}  // namespace micius
