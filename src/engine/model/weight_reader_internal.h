// Reads a decoder's tensors and has them packed for a device's ops.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "engine/model/folded_keys.h"
#include "engine/model/weights.h"

namespace micius {

// Packer has types Matrix and Vector; linear(span of LinearPart) gives the former, which no longer needs the
// parts' bytes, vector(std::vector<float>) the latter.
template <typename Packer>
class WeightReader {
 public:
  using Matrix = typename Packer::Matrix;
  using Vector = typename Packer::Vector;
  using Layer = DecoderLayer<Matrix, Vector>;

  struct Result {
    MatrixView embedding;  // in the file
    std::vector<Layer> layers;
    Vector final_norm;
    Matrix head;
  };

  WeightReader(const ModelSource& source, const ModelConfig& config, Packer& packer)
      : source_(source), config_(config), packer_(packer) {}

  Result read() {
    const MatrixView embedding = matrix("token_embd.weight", config_.vocabulary, config_.hidden);
    std::vector<Layer> layers;
    layers.reserve(config_.layers);
    for (std::size_t i = 0; i < config_.layers; ++i) layers.push_back(layer(i));
    Vector final_norm = vector("output_norm.weight");
    const MatrixView head =
        config_.tied_head ? embedding : matrix("output.weight", config_.vocabulary, config_.hidden);
    known_.insert("rope_freqs.weight");  // of the config
    refuse_unknown();
    return {embedding, std::move(layers), std::move(final_norm), linear({{head, {}}})};
  }

 private:
  Layer layer(std::size_t index) {
    prefix_ = fmt::format("blk.{}.", index);
    const AttentionShape& shape = config_.attention;
    const std::size_t q_rows = shape.n_q * config_.d_q;
    const LinearPart q = rotated("attn_q.weight", shape.n_q, config_.d_q);
    const LinearPart k = rotated("attn_k.weight", shape.n_k, shape.d_k);
    const LinearPart v{matrix(prefix_ + "attn_v.weight", shape.n_v * shape.d_v, config_.hidden), {}};
    const MatrixView out = matrix(prefix_ + "attn_output.weight", config_.hidden, shape.n_q * shape.d_v);
    const MatrixView gate = matrix(prefix_ + "ffn_gate.weight", config_.ffn, config_.hidden);
    const MatrixView up = matrix(prefix_ + "ffn_up.weight", config_.ffn, config_.hidden);
    const MatrixView down = matrix(prefix_ + "ffn_down.weight", config_.hidden, config_.ffn);
    std::optional<Matrix> separate_q;
    std::optional<AugmentedQ<Matrix>> augmented;
    if (config_.augmented_q > 0) {
      separate_q = linear({q});
      augmented = augmented_q(q_rows);
    }
    return {vector(prefix_ + "attn_norm.weight"),
            augmented ? linear({k, v}) : plain_qkv(q, k, v),
            qkv_bias(),
            std::move(separate_q),
            std::move(augmented),
            vector_if("attn_q_norm.weight", config_.attention.d_k),
            vector_if("attn_k_norm.weight", config_.attention.d_k),
            linear({{out, {}}}),
            vector_if("post_attention_norm.weight", config_.hidden),
            vector_if("post_ffw_norm.weight", config_.hidden),
            vector(prefix_ + "ffn_norm.weight"),
            linear({{gate, {}}, {up, {}}}),
            linear({{down, {}}})};
  }

  // Sigma's models have no biases and no further norms: such a tensor of theirs is refused as unknown.
  Vector qkv_bias() {
    const AttentionShape& shape = config_.attention;
    if (config_.architecture == "sigma" || !source_.tensors().contains(prefix_ + "attn_q.bias")) return {};
    std::vector<float> bias = rotated_bias("attn_q.bias", shape.n_q);
    for (const std::vector<float>& part :
         {rotated_bias("attn_k.bias", shape.n_k),
          widened(matrix(prefix_ + "attn_v.bias", 1, shape.n_v * shape.d_v))}) {
      bias.insert(bias.end(), part.begin(), part.end());
    }
    return packer_.vector(std::move(bias));
  }

  std::vector<float> rotated_bias(std::string_view name, std::size_t heads) {
    const std::size_t width = config_.attention.d_k;
    std::vector<float> stored = widened(matrix(prefix_ + std::string(name), 1, heads * width));
    if (source_.qk_rows() == QkRows::kHalfSplit) return stored;
    std::vector<float> bias;
    for (const std::uint32_t row : half_split_order(heads, width)) bias.push_back(stored[row]);
    return bias;
  }

  Vector vector_if(const std::string& name, std::size_t size) {
    if (config_.architecture == "sigma" || !source_.tensors().contains(prefix_ + name)) return {};
    return packer_.vector(widened(matrix(prefix_ + name, 1, size)));
  }

  Matrix plain_qkv(const LinearPart& q, const LinearPart& k, const LinearPart& v) {
    if (!config_.half_k()) return linear({q, k, v});
    const OwnedMatrix folded = fold_keys(q.weights);
    return linear({{folded.view, {}}, k, v});
  }

  AugmentedQ<Matrix> augmented_q(std::size_t q_rows) {
    const MatrixView gate = matrix(prefix_ + "attn_q_gate.weight", config_.augmented_q, q_rows);
    const MatrixView up = matrix(prefix_ + "attn_q_up.weight", config_.augmented_q, q_rows);
    const MatrixView down = matrix(prefix_ + "attn_q_down.weight", q_rows, config_.augmented_q);
    Matrix gate_up = linear({{gate, {}}, {up, {}}});
    if (!config_.half_k()) return {std::move(gate_up), linear({{down, {}}})};
    const OwnedMatrix folded = fold_keys(down);
    return {std::move(gate_up), linear({{folded.view, {}}})};
  }

  OwnedMatrix fold_keys(const MatrixView& make_q) {
    const AttentionShape& shape = config_.attention;
    return folded_keys(shape, config_.d_q, make_q,
                       matrix(prefix_ + "attn_k_up.weight", shape.n_k * config_.d_q, shape.d_k));
  }

  // q or k rows, in half-split order.
  LinearPart rotated(std::string_view name, std::size_t heads, std::size_t width) {
    LinearPart part{matrix(prefix_ + std::string(name), heads * width, config_.hidden), {}};
    if (source_.qk_rows() == QkRows::kInterleaved) part.row_order = half_split_order(heads, width);
    return part;
  }

  MatrixView matrix(const std::string& name, std::size_t rows, std::size_t cols) {
    const MatrixView view = source_.tensor(name);
    if (view.rows != rows || view.cols != cols) {
      fail(ErrorCode::kInvalidData, "{}: tensor '{}' is [{}, {}], the model's numbers ask for [{}, {}]",
           source_.file(), source_.tensor_name(name), view.rows, view.cols, rows, cols);
    }
    known_.insert(name);
    return view;
  }

  Vector vector(const std::string& name) { return packer_.vector(widened(matrix(name, 1, config_.hidden))); }

  // The packed copy is what is read from now on.
  Matrix linear(const std::vector<LinearPart>& parts) {
    Matrix packed = packer_.linear(parts);
    source_.release();
    return packed;
  }

  // A tensor that nothing reads (a bias, an adapter) would change the answer.
  void refuse_unknown() const {
    for (const auto& [name, tensor] : source_.tensors()) {
      if (known_.count(name) == 0) {
        fail(ErrorCode::kUnsupported,
             "{}: tensor '{}' is no part of the architecture '{}' as the engine runs it", source_.file(),
             shorten(to_valid_utf8(source_.tensor_name(name)), 100), config_.architecture);
      }
    }
  }

  const ModelSource& source_;
  const ModelConfig& config_;
  Packer& packer_;
  std::string prefix_;           // of the layer being read: "blk.0."
  std::set<std::string> known_;  // tensors that were read
};

}  // namespace micius
