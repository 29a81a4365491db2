// The weights of a decoder, packed for its ops.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/source.h"
#include "engine/ops/linear.h"

namespace micius {

// AugQ: q <- down(silu(gate q) * up q), on the q of all heads together.
template <typename Matrix>
struct AugmentedQ {
  Matrix gate_up;  // [2 * augmented_q, n_q * d_q]
  Matrix down;     // [n_q * d_k, augmented_q], K's folded in with half K
};

// A layer, its matrices and vectors as a device's ops take them.
template <typename Matrix, typename Vector>
struct DecoderLayer {
  Vector attention_norm;  // [hidden]
  // Without AugQ: q, k and v stacked, [n_q * d_k + n_k * d_k + n_v * d_v, hidden]; with it k and v alone.
  Matrix qkv;
  Vector qkv_bias;          // [rows of qkv]; empty: none
  std::optional<Matrix> q;  // with AugQ only: [n_q * d_q, hidden]
  std::optional<AugmentedQ<Matrix>> augmented_q;
  Vector q_norm, k_norm;                      // [d_k], of each head before RoPE; empty: none
  Matrix attention_out;                       // [hidden, n_q * d_v]
  Vector post_attention_norm, post_ffn_norm;  // [hidden], of what a sublayer adds; empty: none
  Vector ffn_norm;                            // [hidden]
  Matrix gate_up;                             // [2 * ffn, hidden]
  Matrix down;                                // [hidden, ffn]
};

// Of all matrices of layers.
template <typename Matrix, typename Vector>
std::size_t matrix_bytes(const std::vector<DecoderLayer<Matrix, Vector>>& layers) {
  std::size_t bytes = 0;
  for (const DecoderLayer<Matrix, Vector>& layer : layers) {
    bytes += layer.qkv.bytes() + layer.attention_out.bytes() + layer.gate_up.bytes() + layer.down.bytes();
    if (layer.q) bytes += layer.q->bytes();
    if (layer.augmented_q) bytes += layer.augmented_q->gate_up.bytes() + layer.augmented_q->down.bytes();
  }
  return bytes;
}

using LayerWeights = DecoderLayer<Linear, std::vector<float>>;

struct ModelWeights {
  Arena memory;                         // of all matrices but the embedding
  std::optional<MatrixView> embedding;  // [vocabulary, hidden], in the file; absent: the rows of the head
  std::vector<LayerWeights> layers;
  std::vector<float> final_norm;  // [hidden]
  Linear head;                    // [vocabulary, hidden]
};

// Reads the tensors of `source`, which must outlive the weights. Throws Error{kInvalidData} naming a tensor
// that is missing or of another shape, Error{kUnsupported} naming one that the architecture here does not
// have.
ModelWeights read_weights(const ModelSource& source, const ModelConfig& config, Numerics numerics,
                          const OpContext& context);

}  // namespace micius
