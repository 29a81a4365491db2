#include "engine/model/gguf_source.h"

#include <utility>

namespace micius {

GgufSource::GgufSource(GgufFile file)
    : file_(std::move(file)), architecture_(file_.string("general.architecture")) {
  for (const GgufTensor& tensor : file_.tensors()) {
    tensors_.emplace(tensor.name, MatrixView{tensor.dtype, tensor.rows, tensor.cols, tensor.bytes.data()});
  }
}

std::optional<std::uint64_t> GgufSource::integer_if(std::string_view key) const {
  return file_.integer_if(key_name(key));
}

std::optional<double> GgufSource::number_if(std::string_view key) const {
  return file_.number_if(key_name(key));
}

std::optional<std::string> GgufSource::string_if(std::string_view key) const {
  const auto value = file_.string_if(key_name(key));
  return value ? std::optional(std::string(*value)) : std::nullopt;
}

std::string GgufSource::key_name(std::string_view key) const {
  return architecture_ + "." + std::string(key);
}

void GgufSource::describe(GgufWriter& writer) const {
  for (const auto& [key, value] : file_.values()) {
    // The type most tensors have, which may change, and the padding, which the writer chooses.
    if (key != "general.file_type" && key != "general.alignment") writer.value(key, value);
  }
}

QkRows GgufSource::qk_rows() const {
  return architecture_ == "llama" ? QkRows::kInterleaved : QkRows::kHalfSplit;
}

}  // namespace micius
