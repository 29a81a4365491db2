// A llama with random weights in a GGUF file, small enough for tests of everything around the model.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

namespace micius {

inline constexpr std::size_t kTinyVocabulary = 271;  // the 256 bytes, then control tokens
inline constexpr std::size_t kTinyContext = 256;
inline constexpr std::size_t kTinyBlockBytes = 2 * 64 * (16 + 32) * 2;  // of KV cache, for 64 tokens, in f16

class TinyModel {
 public:
  // Writes the file, as `change` leaves its bytes; its path is of this object alone.
  explicit TinyModel(const std::function<void(std::string&)>& change = nullptr);
  ~TinyModel();
  TinyModel(const TinyModel&) = delete;
  TinyModel& operator=(const TinyModel&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace micius
