// The KV cache's unit of memory: 64 tokens of one layer, contiguous.
//
// [n_k K tiles, each d_k x 64 tokens] [n_v V tiles, each 64 tokens x d_v]: token-minor K lets 16 tokens share
// an instruction in q.k, dim-minor V lets 16 dims share one in p.V; no tile is ever transposed. With kQ8_0
// (signed bytes, a scale for each token of each head) there follow [n_k + n_v] [64 tokens] floats, the
// scales.
#pragma once

#include <cassert>
#include <cstddef>

#include "engine/tensor.h"

namespace micius {

inline constexpr std::size_t kPageTokens = 64;

// Heads and dims of DiffQKV attention. GQA, MQA and MHA are values of it. q and K heads have the same width
// d_k.
struct AttentionShape {
  std::size_t n_q = 0, n_k = 0, n_v = 0;
  std::size_t d_k = 0, d_v = 0;
  float scale = 0;  // of the scores: 1 / sqrt(d_q)

  std::size_t k_head(std::size_t q_head) const { return q_head * n_k / n_q; }
  std::size_t v_head(std::size_t q_head) const { return q_head * n_v / n_q; }
};

struct KvLayout {
  AttentionShape shape;
  DType dtype = DType::kF16;  // kF32 under Numerics::kFp32, kQ8_0 under kFast

  std::size_t element_bytes() const {
    assert(dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kQ8_0);
    return dtype == DType::kF32 ? 4 : dtype == DType::kF16 ? 2 : 1;
  }
  std::size_t v_stride() const { return (shape.d_v + 15) / 16 * 16; }  // d_v padded; the pad stays zero
  std::size_t k_tile(std::size_t head) const {
    return head * shape.d_k * kPageTokens;
  }  // offsets in elements
  std::size_t v_tile(std::size_t head) const {
    return (shape.n_k * shape.d_k + head * v_stride()) * kPageTokens;
  }
  // Of a K head, or of V head `head - n_k`; offset in bytes.
  std::size_t scales(std::size_t head) const {
    return v_tile(shape.n_v) * element_bytes() + head * kPageTokens * sizeof(float);
  }
  std::size_t page_bytes() const { return scales(dtype == DType::kQ8_0 ? shape.n_k + shape.n_v : 0); }
};

}  // namespace micius
