// A BERT encoder on the CPU, in fp32.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/float_rows.h"
#include "engine/model/bert.h"
#include "engine/model/bert_config.h"
#include "engine/model/bert_weights.h"
#include "engine/ops/attention.h"
#include "engine/ops/op_context.h"

namespace micius {

// A sequence's row is the same bits whatever the other sequences and the threads are.
class CpuBert : public Bert {
 public:
  // Borrows the context, which must be the one that the weights were packed with.
  CpuBert(const BertConfig& config, BertWeights weights, const OpContext& context);

  void embed(std::span<const std::vector<TokenId>> sequences, std::span<float> rows) override;
  std::size_t bytes() const override { return weights_.tensors.bytes(); }

 private:
  using Biased = BiasedLinear<Linear, std::vector<float>>;
  using Norm = LayerNormWeights<std::vector<float>>;
  using Layer = BertLayer<Linear, std::vector<float>>;

  void look_up(std::span<const std::vector<TokenId>> sequences);
  void plan_attention(std::span<const std::vector<TokenId>> sequences);
  void attention(const Layer& layer);
  void feed_forward(const Layer& layer);
  std::span<float> apply(const Biased& linear, std::span<const float> x, FloatRows& y) const;
  void add_and_norm(const Biased& linear, std::span<const float> input, const Norm& norm);

  BertConfig config_;
  BertWeights weights_;
  const OpContext& context_;
  // Of the batch being run; rows are its tokens.
  Buffer memory_;                         // the pages of one layer's keys and values
  std::vector<std::byte*> pages_;         // of all sequences
  std::vector<AttentionSlice> attended_;  // one a sequence
  FloatRows x_;                           // [rows, hidden]
  FloatRows qkv_;                         // [rows, 3 * hidden]
  FloatRows heads_;                       // [rows, hidden]: attention's output
  FloatRows inner_;                       // [rows, ffn]
  FloatRows y_;                           // [rows, hidden]: what a sublayer adds
};

}  // namespace micius
