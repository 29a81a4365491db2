#include "engine/model/source.h"

#include "base/error.h"
#include "engine/model/gguf_source.h"
#include "engine/model/hf_source.h"

namespace micius {

MatrixView ModelSource::tensor(std::string_view name) const {
  const auto found = tensors().find(name);
  if (found == tensors().end()) {
    fail(ErrorCode::kInvalidData,
         "{}: tensor '{}' is missing; get the model again, or convert it with a current converter", file(),
         tensor_name(name));
  }
  return found->second;
}

std::unique_ptr<ModelSource> open_source(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return std::make_unique<HfSource>(path);
  return std::make_unique<GgufSource>(GgufFile(path));
}

std::size_t parameter_count(const ModelSource& source) {
  std::size_t count = 0;
  for (const auto& [name, tensor] : source.tensors()) count += tensor.rows * tensor.cols;
  return count;
}

}  // namespace micius
