#include "core/dataset_file.h"

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

fs::path root_of(const Spec& spec, const DataRoots& roots) {
  const JsonFields params(spec.params, fmt::format("dataset loader '{}'", spec.name));
  const std::string root = params.string_or("root", "data");
  if (root == "data") return roots.data;
  if (root == "share") return roots.share;
  fail(ErrorCode::kUsage, "{}: unknown root '{}'{}; it is 'data' or 'share'", params.where(), root,
       did_you_mean(root, {"data", "share"}));
}

fs::path path_of(const Spec& spec) {
  const JsonFields params(spec.params, fmt::format("dataset loader '{}'", spec.name));
  const std::string path = params.string("path");
  if (path.empty()) fail(ErrorCode::kUsage, "{}: field 'path' is empty", params.where());
  return path;
}

}  // namespace

std::optional<fs::path> find_dataset_file(const Spec& spec, const DataRoots& roots) {
  const fs::path path = root_of(spec, roots) / path_of(spec);  // an absolute path stays as it is
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  fs::path compressed = path;
  compressed += ".gz";
  if (fs::exists(compressed, ignored)) return compressed;
  return std::nullopt;
}

fs::path require_dataset_file(const Spec& spec, const DataRoots& roots) {
  if (auto file = find_dataset_file(spec, roots)) return *std::move(file);
  const fs::path path = path_of(spec);
  if (path.is_absolute()) fail(ErrorCode::kNotFound, "{}: no such file", path.string());
  const fs::path root = root_of(spec, roots);
  if (root == roots.share && root != roots.data) {
    fail(ErrorCode::kNotFound,
         "{}: not found in {}; it comes with the program: MICIUS_SHARE_DIR names the folder", path.string(),
         root.string());
  }
  fail(ErrorCode::kNotFound,
       "{}: not found in {}; `micius data list` says where to get it, --data-dir names another folder",
       path.string(), root.string());
}

std::string dataset_name(const Spec& spec) {
  const fs::path path = path_of(spec);
  return path.is_absolute() ? path.filename().string() : path.generic_string();
}

}  // namespace micius
