#include "source_tree.h"

namespace micius {

std::filesystem::path source_tree() { return MICIUS_SOURCE_DIR; }

std::filesystem::path built_micius() { return std::filesystem::path(MICIUS_BUILD_DIR) / "src/cli/micius"; }

std::filesystem::path built_inside() { return std::filesystem::path(MICIUS_BUILD_DIR) / "libexec/micius"; }

}  // namespace micius
