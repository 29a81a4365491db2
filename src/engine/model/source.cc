#include "engine/model/source.h"

#include "base/error.h"
#include "base/hash.h"
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

std::string model_sha256(const ModelSource& source) {
  const std::vector<std::filesystem::path> files = source.files();
  if (files.size() == 1) return sha256_file(files.front());
  std::string list;
  for (const std::filesystem::path& file : files) {
    list += fmt::format("{}  {}\n", sha256_file(file), file.filename().string());
  }
  return sha256_hex(list);
}

std::size_t parameter_count(const ModelSource& source) {
  std::size_t count = 0;
  for (const auto& [name, tensor] : source.tensors()) count += tensor.rows * tensor.cols;
  return count;
}

}  // namespace micius
