#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "engine/model/bert.h"
#include "engine/quant.h"

namespace micius {
namespace {

class Reader {
 public:
  Reader(const Safetensors& file, const BertConfig& config, const OpContext& context)
      : file_(file),
        config_(config),
        context_(context),
        root_(file.find("bert.embeddings.word_embeddings.weight") == nullptr ? "" : "bert.") {}

  BertWeights read() {
    const std::size_t hidden = config_.hidden;
    prefix_ = root_ + "embeddings.";
    BertWeights weights;
    weights.words = matrix("word_embeddings.weight", config_.vocabulary, hidden);
    weights.positions = values("position_embeddings.weight", config_.positions, hidden);
    const std::vector<float> types = values("token_type_embeddings.weight", config_.token_types, hidden);
    for (std::size_t i = 0; i < weights.positions.size(); ++i) weights.positions[i] += types[i % hidden];
    weights.embedding_norm = norm("LayerNorm");
    for (std::size_t i = 0; i < config_.layers; ++i) weights.layers.push_back(layer(i));
    refuse_unknown();
    weights.memory = std::move(memory_);
    return weights;
  }

 private:
  BertLayer layer(std::size_t index) {
    prefix_ = fmt::format("{}encoder.layer.{}.", root_, index);
    const std::size_t hidden = config_.hidden, ffn = config_.ffn;
    BiasedLinear qkv =
        stacked({"attention.self.query", "attention.self.key", "attention.self.value"}, hidden, hidden);
    BiasedLinear out = stacked({"attention.output.dense"}, hidden, hidden);
    LayerNormWeights attention_norm = norm("attention.output.LayerNorm");
    BiasedLinear up = stacked({"intermediate.dense"}, ffn, hidden);
    BiasedLinear down = stacked({"output.dense"}, hidden, ffn);
    return {std::move(qkv), std::move(out),  std::move(attention_norm),
            std::move(up),  std::move(down), norm("output.LayerNorm")};
  }

  BiasedLinear stacked(const std::vector<std::string>& names, std::size_t rows, std::size_t cols) {
    std::vector<LinearPart> parts;
    std::vector<float> bias;
    for (const std::string& name : names) {
      parts.push_back({matrix(name + ".weight", rows, cols), {}});
      const std::vector<float> part = values(name + ".bias", 1, rows);
      bias.insert(bias.end(), part.begin(), part.end());
    }
    return {Linear(parts, Numerics::kFp32, memory_, context_), std::move(bias)};
  }

  LayerNormWeights norm(const std::string& name) {
    return {values(name + ".weight", 1, config_.hidden), values(name + ".bias", 1, config_.hidden)};
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
  const OpContext& context_;
  Arena memory_;
  std::string root_, prefix_;    // before the names; of the part being read
  std::set<std::string> known_;  // tensors that were read
};

}  // namespace

BertWeights read_bert_weights(const Safetensors& file, const BertConfig& config, const OpContext& context) {
  return Reader(file, config, context).read();
}

}  // namespace micius
