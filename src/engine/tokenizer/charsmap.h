// SentencePiece's `precompiled_charsmap`: which characters a text's characters become.
//
// The block is a double-array trie (Aoe, 1989, in Darts-clone's units) after its size in bytes, then the
// replacements, each ended by a zero byte; a key's value is the offset of its replacement.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

class Charsmap {
 public:
  struct Match {
    std::size_t size;  // bytes of the text
    std::string_view replacement;
  };

  // An empty block maps nothing. Throws Error{kInvalidData} for one that does not hold together.
  explicit Charsmap(std::string_view block);

  // The longest key that `text` starts with; reads no more than kMaxKey bytes of it.
  std::optional<Match> match(std::string_view text) const;

  static constexpr std::size_t kMaxKey = 128;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace micius
