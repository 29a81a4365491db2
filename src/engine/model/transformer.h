// The forward pass of a decoder with DiffQKV attention (arXiv 2501.13629, section 2; Llama is a case of it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/float_rows.h"
#include "engine/kv_cache.h"
#include "engine/model/config.h"
#include "engine/model/decoder.h"
#include "engine/model/weights.h"
#include "engine/ops/attention.h"
#include "engine/ops/op_context.h"
#include "engine/ops/rope.h"
#include "engine/tokenizer/bpe.h"

namespace micius {

// Immutable but for its working memory: one forward at a time.
class Transformer {
 public:
  Transformer(const ModelConfig& config, ModelWeights weights);

  // Runs the tokens of all slices, which have kv caches of their own, as one batch and appends their keys and
  // values. `wanted` are rows of the batch (slices one after the other), each above the one before; returns
  // their hidden states after the final norm, [wanted.size(), hidden], valid until the next call. A row's
  // result is the same bits whatever the other rows, slices and threads are.
  std::span<const float> forward(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted,
                                 const OpContext& context);

  // The layout of the pages that `kv` must have.
  static KvLayout kv_layout(const ModelConfig& config, Numerics numerics);

  const ModelConfig& config() const { return config_; }
  const Linear& head() const { return weights_.head; }
  // Of the packed weights.
  std::size_t bytes() const { return weights_.head.bytes() + matrix_bytes(weights_.layers); }

 private:
  void begin(std::span<const ForwardSlice> slices, const OpContext& context);
  void attention(const LayerWeights& layer, std::size_t index, std::span<const ForwardSlice> slices,
                 const OpContext& context);
  void norm_heads(float* x, std::size_t stride, std::size_t heads, std::span<const float> weight,
                  const OpContext& context);
  void store(std::size_t index, std::span<const ForwardSlice> slices, const float* k, const float* v,
             std::size_t stride, const OpContext& context);
  void add_sublayer(std::span<float> y, std::span<const float> norm, const OpContext& context);
  void keep_rows(std::span<const std::int32_t> wanted);
  void feed_forward(const LayerWeights& layer, const OpContext& context);

  ModelConfig config_;
  ModelWeights weights_;
  RopeAngles rope_, local_rope_;  // local_rope_: of layers that config_.has_local_rope()

  // Of the batch being run; rows are its tokens.
  std::vector<TokenId> ids_;
  std::vector<std::int32_t> positions_;     // [rows]
  std::vector<float> turns_, local_turns_;  // [rows, d_k]: of their heads
  std::vector<AttentionSlice> attended_;    // one a slice
  FloatRows x_;                             // [rows, hidden]: the residual stream
  FloatRows sublayer_;                      // [rows, hidden]: what a sublayer reads, then what it adds
  FloatRows wide_;                          // [rows, qkv's outputs], or the FFN's gate and up for some rows
  FloatRows inner_;                         // [rows, n_q * d_v]: attention's output, or what an MLP gates
  FloatRows q_, augmented_;                 // AugQ's q, and the gate and up of its MLP
};

}  // namespace micius
