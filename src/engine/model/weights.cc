#include "engine/model/weights.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "engine/quant.h"

namespace micius {
namespace {

// A matrix worked out at load, and the view that packing takes of it.
struct OwnedMatrix {
  std::vector<float> values;
  MatrixView view;
};

class WeightReader {
 public:
  WeightReader(const ModelSource& source, const ModelConfig& config, Numerics numerics,
               const OpContext& context)
      : source_(source), config_(config), numerics_(numerics), context_(context) {}

  ModelWeights read() {
    const MatrixView embedding = matrix("token_embd.weight", config_.vocabulary, config_.hidden);
    std::vector<LayerWeights> layers;
    layers.reserve(config_.layers);
    for (std::size_t i = 0; i < config_.layers; ++i) layers.push_back(layer(i));
    std::vector<float> final_norm = vector("output_norm.weight");
    const MatrixView head =
        config_.tied_head ? embedding : matrix("output.weight", config_.vocabulary, config_.hidden);
    known_.insert("rope_freqs.weight");  // of the config
    refuse_unknown();
    Linear packed_head = linear({{head, {}}});
    return {std::move(memory_), config_.tied_head ? std::nullopt : std::optional(embedding),
            std::move(layers), std::move(final_norm), std::move(packed_head)};
  }

 private:
  LayerWeights layer(std::size_t index) {
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
    std::optional<Linear> separate_q;
    std::optional<AugmentedQ> augmented;
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
  std::vector<float> qkv_bias() {
    const AttentionShape& shape = config_.attention;
    if (config_.architecture == "sigma" || !source_.tensors().contains(prefix_ + "attn_q.bias")) return {};
    std::vector<float> bias = rotated_bias("attn_q.bias", shape.n_q);
    for (const std::vector<float>& part :
         {rotated_bias("attn_k.bias", shape.n_k),
          widened(matrix(prefix_ + "attn_v.bias", 1, shape.n_v * shape.d_v))}) {
      bias.insert(bias.end(), part.begin(), part.end());
    }
    return bias;
  }

  std::vector<float> rotated_bias(std::string_view name, std::size_t heads) {
    const std::size_t width = config_.attention.d_k;
    std::vector<float> stored = widened(matrix(prefix_ + std::string(name), 1, heads * width));
    if (source_.qk_rows() == QkRows::kHalfSplit) return stored;
    std::vector<float> bias;
    for (const std::uint32_t row : half_split_order(heads, width)) bias.push_back(stored[row]);
    return bias;
  }

  std::vector<float> vector_if(const std::string& name, std::size_t size) {
    if (config_.architecture == "sigma" || !source_.tensors().contains(prefix_ + name)) return {};
    return widened(matrix(prefix_ + name, 1, size));
  }

  Linear plain_qkv(const LinearPart& q, const LinearPart& k, const LinearPart& v) {
    if (!config_.half_k()) return linear({q, k, v});
    const OwnedMatrix folded = fold_keys(q.weights);
    return linear({{folded.view, {}}, k, v});
  }

  AugmentedQ augmented_q(std::size_t q_rows) {
    const MatrixView gate = matrix(prefix_ + "attn_q_gate.weight", config_.augmented_q, q_rows);
    const MatrixView up = matrix(prefix_ + "attn_q_up.weight", config_.augmented_q, q_rows);
    const MatrixView down = matrix(prefix_ + "attn_q_down.weight", q_rows, config_.augmented_q);
    Linear gate_up = linear({{gate, {}}, {up, {}}});
    if (!config_.half_k()) return {std::move(gate_up), linear({{down, {}}})};
    const OwnedMatrix folded = fold_keys(down);
    return {std::move(gate_up), linear({{folded.view, {}}})};
  }

  // Half K: q . (U k) = (U^T q) . k, so the cache is never widened. U^T goes into the matrix that makes q:
  // head i's rows W_i [d_q, cols] become U_j^T W_i [d_k, cols], with j its K head.
  OwnedMatrix fold_keys(const MatrixView& make_q) {
    const AttentionShape& shape = config_.attention;
    const MatrixView up = matrix(prefix_ + "attn_k_up.weight", shape.n_k * config_.d_q, shape.d_k);
    const std::vector<float> u = widened(up), w = widened(make_q);
    const std::size_t cols = make_q.cols;
    OwnedMatrix folded;
    folded.values.reserve(shape.n_q * shape.d_k * cols);
    std::vector<double> row(cols);
    for (std::size_t head = 0; head < shape.n_q; ++head) {
      const float* u_head = &u[shape.k_head(head) * config_.d_q * shape.d_k];
      const float* w_head = &w[head * config_.d_q * cols];
      for (std::size_t i = 0; i < shape.d_k; ++i) {
        std::fill(row.begin(), row.end(), 0.0);
        for (std::size_t j = 0; j < config_.d_q; ++j) {
          const double factor = u_head[j * shape.d_k + i];
          for (std::size_t c = 0; c < cols; ++c) row[c] += factor * w_head[j * cols + c];
        }
        for (const double value : row) folded.values.push_back(static_cast<float>(value));
      }
    }
    folded.view = {DType::kF32, shape.n_q * shape.d_k, cols,
                   reinterpret_cast<const std::byte*>(folded.values.data())};
    return folded;
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

  std::vector<float> vector(const std::string& name) { return widened(matrix(name, 1, config_.hidden)); }

  static std::vector<float> widened(const MatrixView& view) {
    std::vector<float> values(view.rows * view.cols);
    dequantize(view.dtype, view.data, values);
    return values;
  }

  // The packed copy is what is read from now on.
  Linear linear(const std::vector<LinearPart>& parts) {
    Linear packed(parts, numerics_, memory_, context_);
    for (const LinearPart& part : parts) source_.release(part.weights);
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
  Numerics numerics_;
  const OpContext& context_;
  Arena memory_;
  std::string prefix_;           // of the layer being read: "blk.0."
  std::set<std::string> known_;  // tensors that were read
};

}  // namespace

ModelWeights read_weights(const ModelSource& source, const ModelConfig& config, Numerics numerics,
                          const OpContext& context) {
  return WeightReader(source, config, numerics, context).read();
}

}  // namespace micius
