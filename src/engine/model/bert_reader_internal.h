// Reads a BERT's tensors and has them packed for a device's ops.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/model/bert_weights.h"
#include "engine/quant.h"

namespace micius {

// Packer has types Matrix and Vector; linear(span of LinearPart) gives the former, which no longer needs the
// parts' bytes, vector(std::vector<float>) the latter.
template <typename Packer>
class BertReader {
 public:
  using Matrix = typename Packer::Matrix;
  using Vector = typename Packer::Vector;

  BertReader(const Safetensors& file, const BertConfig& config, Packer& packer)
      : file_(file),
        config_(config),
        packer_(packer),
        root_(file.find("bert.embeddings.word_embeddings.weight") == nullptr ? "" : "bert.") {}

  BertTensors<Matrix, Vector> read() {
    const std::size_t hidden = config_.hidden;
    prefix_ = root_ + "embeddings.";
    const MatrixView words = matrix("word_embeddings.weight", config_.vocabulary, hidden);
    std::vector<float> positions = values("position_embeddings.weight", config_.positions, hidden);
    const std::vector<float> types = values("token_type_embeddings.weight", config_.token_types, hidden);
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] += types[i % hidden];
    BertTensors<Matrix, Vector> tensors{words, packer_.vector(positions), norm("LayerNorm"), {}};
    for (std::size_t i = 0; i < config_.layers; ++i) tensors.layers.push_back(layer(i));
    refuse_unknown();
    return tensors;
  }

 private:
  using Biased = BiasedLinear<Matrix, Vector>;
  using Norm = LayerNormWeights<Vector>;

  BertLayer<Matrix, Vector> layer(std::size_t index) {
    prefix_ = fmt::format("{}encoder.layer.{}.", root_, index);
    const std::size_t hidden = config_.hidden, ffn = config_.ffn;
    Biased qkv =
        stacked({"attention.self.query", "attention.self.key", "attention.self.value"}, hidden, hidden);
    Biased out = stacked({"attention.output.dense"}, hidden, hidden);
    Norm attention_norm = norm("attention.output.LayerNorm");
    Biased up = stacked({"intermediate.dense"}, ffn, hidden);
    Biased down = stacked({"output.dense"}, hidden, ffn);
    return {std::move(qkv), std::move(out),  std::move(attention_norm),
            std::move(up),  std::move(down), norm("output.LayerNorm")};
  }

  Biased stacked(const std::vector<std::string>& names, std::size_t rows, std::size_t cols) {
    std::vector<LinearPart> parts;
    std::vector<float> bias;
    for (const std::string& name : names) {
      parts.push_back({matrix(name + ".weight", rows, cols), {}});
      const std::vector<float> part = values(name + ".bias", 1, rows);
      bias.insert(bias.end(), part.begin(), part.end());
    }
    return {packer_.linear(parts), packer_.vector(bias)};
  }

  Norm norm(const std::string& name) {
    return {packer_.vector(values(name + ".weight", 1, config_.hidden)),
            packer_.vector(values(name + ".bias", 1, config_.hidden))};
  }

  MatrixView matrix(const std::string& part, std::size_t rows, std::size_t cols) {
    const std::string name = prefix_ + part;
    const MatrixView view = file_.matrix(name);
    if (view.rows != rows || view.cols != cols) {
      fail(ErrorCode::kInvalidData, "{}: tensor '{}' is [{}, {}], the model's numbers ask for [{}, {}]",
           file_.name(), name, view.rows, view.cols, rows, cols);
    }
    known_.insert(name);
    return view;
  }

  std::vector<float> values(const std::string& part, std::size_t rows, std::size_t cols) {
    const MatrixView view = matrix(part, rows, cols);
    std::vector<float> out(rows * cols);
    dequantize(view.dtype, view.data, out);
    return out;
  }

  // A tensor that nothing reads (an adapter) would change the answer.
  void refuse_unknown() const {
    for (const SafetensorsTensor& tensor : file_.tensors()) {
      const bool unused =
          tensor.name == root_ + "embeddings.position_ids" || tensor.name.starts_with(root_ + "pooler.");
      if (unused || known_.count(tensor.name) != 0) continue;
      fail(ErrorCode::kUnsupported, "{}: tensor '{}' is no part of a BERT as the engine runs it",
           file_.name(), tensor.name.substr(0, 100));
    }
  }

  const Safetensors& file_;
  const BertConfig& config_;
  Packer& packer_;
  std::string root_, prefix_;    // before the names; of the part being read
  std::set<std::string> known_;  // tensors that were read
};

}  // namespace micius
