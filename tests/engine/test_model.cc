#include "engine/test_model.h"

#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

#include "engine/gguf.h"
#include "engine/gguf_tokenizer.h"
#include "shared_files.h"

namespace micius {
namespace {

std::filesystem::path model_root() {
  const char* folder = std::getenv("MICIUS_MODEL_DIR");
  const char* home = std::getenv("HOME");
  if (folder != nullptr) return folder;
  return std::string(home == nullptr ? "" : home) + "/.local/share/micius/models";
}

}  // namespace

std::optional<std::filesystem::path> shared_path(std::string_view relative) {
  const std::filesystem::path path = shared_folder() / relative;
  if (std::filesystem::exists(path)) return path;
  WARN("skipped: " << path.string() << " is not there");
  return std::nullopt;
}

std::optional<std::filesystem::path> test_encoder() {
  const std::filesystem::path folder = model_root() / "all-minilm-l6-v2";
  if (std::filesystem::exists(folder / "model.safetensors")) return folder;
  WARN("skipped: " << folder.string() << " is not there; `micius model fetch all-minilm-l6-v2`");
  return std::nullopt;
}

std::optional<std::filesystem::path> test_model() {
  const std::filesystem::path root = model_root();
  for (const char* name :
       {"smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"}) {
    if (std::filesystem::exists(root / name)) return root / name;
  }
  WARN("skipped: the model smollm2-135m is not in " << root.string()
                                                    << "; `micius model fetch smollm2-135m`");
  return std::nullopt;
}

Tokenizer model_tokenizer(const std::filesystem::path& model) {
  return Tokenizer(tokenizer_data_from(GgufFile(model)));
}

}  // namespace micius
