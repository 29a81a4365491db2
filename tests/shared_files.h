// Vectors and data that are not in the repository: where tests look for them.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "source_tree.h"

namespace micius {

inline std::filesystem::path shared_folder() {
  const char* folder = std::getenv("MICIUS_SHARED");
  return folder != nullptr ? folder : source_tree() / ".." / "shared";
}

inline std::filesystem::path vector_folder() { return shared_folder() / "vectors"; }

inline std::filesystem::path data_folder() {
  const char* folder = std::getenv("MICIUS_DATA_DIR");
  return folder != nullptr ? folder : shared_folder() / "data";
}

}  // namespace micius
