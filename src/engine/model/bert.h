// The forward pass of a BERT encoder (Devlin et al., 2019), in fp32.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/float_rows.h"
#include "engine/model/bert_config.h"
#include "engine/ops/attention.h"
#include "engine/ops/linear.h"
#include "engine/ops/op_context.h"
#include "engine/safetensors.h"
#include "engine/tokenizer/bpe.h"

namespace micius {

// y = W x + b
struct BiasedLinear {
  Linear weights;
  std::vector<float> bias;  // [outputs]
};

struct LayerNormWeights {
  std::vector<float> weight, bias;  // [hidden]
};

struct BertLayer {
  BiasedLinear qkv;            // [3 * hidden, hidden], q first
  BiasedLinear attention_out;  // [hidden, hidden]
  LayerNormWeights attention_norm;
  BiasedLinear up;    // [ffn, hidden]
  BiasedLinear down;  // [hidden, ffn]
  LayerNormWeights ffn_norm;
};

struct BertWeights {
  Arena memory;                  // of the linears' matrices
  MatrixView words;              // [vocabulary, hidden], in the file
  std::vector<float> positions;  // [positions, hidden], the embedding of token type 0 added
  LayerNormWeights embedding_norm;
  std::vector<BertLayer> layers;
};

// Reads the tensors of `file`, which must outlive the weights; names may begin with "bert.". The pooler is
// left out. Throws Error{kInvalidData} naming a tensor that is missing or of another shape,
// Error{kUnsupported} naming one that a BERT does not have.
BertWeights read_bert_weights(const Safetensors& file, const BertConfig& config, const OpContext& context);

// Immutable but for its working memory: one forward at a time.
class Bert {
 public:
  Bert(const BertConfig& config, BertWeights weights);

  // Runs all sequences as one batch. Each has 1 to config.positions tokens, ids below the vocabulary's size.
  // Returns the hidden states of the last layer, [tokens of all sequences, hidden], valid until the next
  // call. A row's result is the same bits whatever the other sequences and threads are.
  std::span<const float> forward(std::span<const std::vector<TokenId>> sequences, const OpContext& context);

  std::size_t bytes() const;  // of the packed weights

 private:
  void embed(std::span<const std::vector<TokenId>> sequences, const OpContext& context);
  void plan_attention(std::span<const std::vector<TokenId>> sequences);
  void attention(const BertLayer& layer, const OpContext& context);
  void feed_forward(const BertLayer& layer, const OpContext& context);
  void add_and_norm(const BiasedLinear& linear, std::span<const float> input, const LayerNormWeights& norm,
                    const OpContext& context);

  BertConfig config_;
  BertWeights weights_;
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
