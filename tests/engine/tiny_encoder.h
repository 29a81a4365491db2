// A BERT encoder small enough to be made in a test.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

struct TinyEncoderShape {
  std::size_t hidden = 32, heads = 2, ffn = 48;
  std::size_t most_tokens = 8;  // of a text; positions are twice as many
};

// A folder of its own with an encoder of 2 layers. Random weights, the same in every run. Knows "a" to "z" as
// words and as endings, and the ASCII digits.
class TinyEncoder {
 public:
  explicit TinyEncoder(const TinyEncoderShape& shape = {});
  ~TinyEncoder();
  TinyEncoder(const TinyEncoder&) = delete;
  TinyEncoder& operator=(const TinyEncoder&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  // Writes a file of it anew.
  void write(std::string_view file, std::string_view bytes) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace micius
