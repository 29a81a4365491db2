// A GGUF file as a model.
#pragma once

#include <string>

#include "engine/gguf.h"
#include "engine/gguf_tokenizer.h"
#include "engine/model/source.h"

namespace micius {

class GgufSource final : public ModelSource {
 public:
  // Throws Error{kInvalidData} for a file that names no architecture.
  explicit GgufSource(GgufFile file);

  const std::string& file() const override { return file_.name(); }
  std::vector<std::filesystem::path> files() const override { return {file_.name()}; }
  std::size_t bytes() const override { return file_.size(); }
  std::string label() const override { return std::string(file_.string_if("general.name").value_or("")); }
  std::string architecture() const override { return architecture_; }
  std::optional<std::uint64_t> integer_if(std::string_view key) const override;
  std::optional<double> number_if(std::string_view key) const override;
  std::optional<std::string> string_if(std::string_view key) const override;
  std::string key_name(std::string_view key) const override;
  const Tensors& tensors() const override { return tensors_; }
  std::string tensor_name(std::string_view name) const override { return std::string(name); }
  QkRows qk_rows() const override;
  void release() const override { file_.release(); }
  TokenizerData tokenizer() const override { return tokenizer_data_from(file_); }
  std::string chat_template() const override { return chat_template_from(file_); }
  void describe(GgufWriter& writer) const override;

 private:
  GgufFile file_;
  std::string architecture_;
  Tensors tensors_;
};

}  // namespace micius
