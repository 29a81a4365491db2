// Where the default model and shared vectors are, for tests that need them.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "engine/tokenizer/tokenizer.h"

namespace micius {

// A path below the folder of shared vectors and data (MICIUS_SHARED, else beside the source tree), or absent
// with a warning that the test is skipped.
std::optional<std::filesystem::path> shared_path(std::string_view relative);

// The default model's file, or absent with a warning that the test is skipped.
std::optional<std::filesystem::path> test_model();
// The default embedder's folder, the same way.
std::optional<std::filesystem::path> test_encoder();

Tokenizer model_tokenizer(const std::filesystem::path& model);

}  // namespace micius
