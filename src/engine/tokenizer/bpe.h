// Byte-pair encoding of one piece (Sennrich et al., 2016): the pair of neighbours with the lowest rank is
// joined, the leftmost first among equals, until no pair has a rank. A heap over a linked list: O(n log n).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace micius {

using TokenId = std::int32_t;

// Immutable once built; encode may be called from several threads.
class Bpe {
 public:
  struct Merge {
    TokenId left, right, joined;
  };
  using ByteTokens = std::array<TokenId, 256>;  // kNoToken: the byte has none and is left out
  static constexpr TokenId kNoToken = -1;

  // `merges` are in order of rank; of a pair that stands there twice the first counts.
  Bpe(const ByteTokens& byte_tokens, std::span<const Merge> merges);

  // Appends the ids of `piece` (shorter than 4 GiB).
  void encode(std::string_view piece, std::vector<TokenId>& ids) const;

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    std::uint32_t rank = 0;
    TokenId joined = 0;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  const Slot* find(TokenId left, TokenId right) const;  // null: no merge
  std::size_t slot_of(std::uint64_t pair) const;

  ByteTokens byte_tokens_;
  std::vector<Slot> slots_;  // open addressing; a power of two, at most half full
};

}  // namespace micius
