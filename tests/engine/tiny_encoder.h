// A BERT encoder small enough to be made in a test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// A folder of its own with an encoder of 2 layers, 32 wide, 16 positions; texts of at most 8 tokens. Random
// weights, the same in every run. Knows "a" to "z" as words and as endings, and the ASCII digits.
class TinyEncoder {
 public:
  TinyEncoder();
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
