// The weights of a BERT encoder, packed for a device's ops.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/model/bert_config.h"
#include "engine/ops/linear.h"
#include "engine/ops/op_context.h"
#include "engine/safetensors.h"

namespace micius {

// y = W x + b
template <typename Matrix, typename Vector>
struct BiasedLinear {
  Matrix weights;
  Vector bias;  // [outputs]
};

template <typename Vector>
struct LayerNormWeights {
  Vector weight, bias;  // [hidden]
};

// A layer, its matrices and vectors as a device's ops take them.
template <typename Matrix, typename Vector>
struct BertLayer {
  BiasedLinear<Matrix, Vector> qkv;            // [3 * hidden, hidden], q first
  BiasedLinear<Matrix, Vector> attention_out;  // [hidden, hidden]
  LayerNormWeights<Vector> attention_norm;
  BiasedLinear<Matrix, Vector> up;    // [ffn, hidden]
  BiasedLinear<Matrix, Vector> down;  // [hidden, ffn]
  LayerNormWeights<Vector> ffn_norm;

  std::size_t bytes() const {  // of the matrices
    return qkv.weights.bytes() + attention_out.weights.bytes() + up.weights.bytes() + down.weights.bytes();
  }
};

template <typename Matrix, typename Vector>
struct BertTensors {
  MatrixView words;  // [vocabulary, hidden], in the file
  Vector positions;  // [positions, hidden], the embedding of token type 0 added
  LayerNormWeights<Vector> embedding_norm;
  std::vector<BertLayer<Matrix, Vector>> layers;

  std::size_t bytes() const {  // of the layers' matrices
    std::size_t bytes = 0;
    for (const auto& layer : layers) bytes += layer.bytes();
    return bytes;
  }
};

struct BertWeights {
  Arena memory;  // of the linears' matrices
  BertTensors<Linear, std::vector<float>> tensors;
};

// Reads the tensors of `file`, which must outlive the weights; names may begin with "bert.". The pooler is
// left out. Throws Error{kInvalidData} naming a tensor that is missing or of another shape,
// Error{kUnsupported} naming one that a BERT does not have.
BertWeights read_bert_weights(const Safetensors& file, const BertConfig& config, const OpContext& context);

}  // namespace micius
