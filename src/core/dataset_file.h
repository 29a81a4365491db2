// Where the file of a dataset is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/spec.h"

namespace micius {

// The file that `spec` names: params.path below a root (params.root "data", the default, or "share") or
// absolute, itself or with ".gz" behind it; absent if neither is there. Throws Error{kUsage} for a spec
// without a path or with another root.
std::optional<std::filesystem::path> find_dataset_file(const Spec& spec, const DataRoots& roots);

// The same, but a missing file is Error{kNotFound}: what is missing, where it was looked for, what to type.
std::filesystem::path require_dataset_file(const Spec& spec, const DataRoots& roots);

// The name of a dataset: its path below its root; of an absolute path, which is no one else's business, the
// file's name.
std::string dataset_name(const Spec& spec);

}  // namespace micius
