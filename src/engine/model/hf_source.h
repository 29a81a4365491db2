// A folder with config.json and safetensors, as Hugging Face's libraries write them, as a model.
#pragma once

#include <filesystem>
#include <list>
#include <string>

#include "base/json.h"
#include "engine/model/source.h"
#include "engine/safetensors.h"

namespace micius {

// Architectures: llama, mistral (a Llama), qwen2, qwen3, gemma3_text and sigma (DiffQKV; names of arXiv
// 2501.13629's listing). Llama 3.1's RoPE scaling is worked out to the tensor that GGUF has for it.
class HfSource final : public ModelSource {
 public:
  // Throws Error{kNotFound} for a folder without config.json or weights, Error{kUnsupported} for another
  // architecture or a setting that the engine does not run, naming file and field.
  explicit HfSource(const std::filesystem::path& folder);

  const std::string& file() const override { return file_; }
  std::vector<std::filesystem::path> files() const override;
  std::size_t bytes() const override { return weights_.size(); }
  std::string label() const override { return label_; }
  std::string architecture() const override { return architecture_; }
  std::optional<std::uint64_t> integer_if(std::string_view key) const override;
  std::optional<double> number_if(std::string_view key) const override;
  std::optional<std::string> string_if(std::string_view key) const override;
  std::string key_name(std::string_view key) const override;
  const Tensors& tensors() const override { return tensors_; }
  std::string tensor_name(std::string_view name) const override;
  QkRows qk_rows() const override { return QkRows::kHalfSplit; }
  void release() const override { weights_.release(); }
  TokenizerData tokenizer() const override;
  std::string chat_template() const override;
  void describe(GgufWriter& writer) const override;

 private:
  void read_layer_types();
  void raise_norms();
  void add_rope_factors();
  MatrixView made(std::vector<float> values);     // a vector of ours, kept
  const Json* value(std::string_view key) const;  // null if config.json does not have it

  std::string file_;  // config.json, where the numbers are from
  std::string label_, architecture_;
  Json config_;
  Safetensors weights_;
  Tensors tensors_;
  std::list<std::vector<float>> made_;  // behind tensors_ that the files do not have so
};

}  // namespace micius
