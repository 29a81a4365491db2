// Byte-pair encoding of one piece (Sennrich et al., 2016): the pair of neighbours with the lowest rank is
// joined, the leftmost first among equals, until no pair has a rank. Short pieces by scanning; long ones with
// a heap over a linked list: O(n log n).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace micius {

using TokenId = std::int32_t;
constexpr TokenId kNoToken = -1;

// Immutable once built; encode may be called from several threads.
class Bpe {
 public:
  struct Merge {
    TokenId left, right, joined;  // not negative
    std::uint32_t rank;
  };

  // Of a pair that stands there twice the first counts.
  explicit Bpe(std::span<const Merge> merges);

  // Appends what `symbols` (fewer than 2^32) become.
  void encode(std::span<const TokenId> symbols, std::vector<TokenId>& ids) const;

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    std::uint32_t rank = 0;
    TokenId joined = 0;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  const Slot* find(TokenId left, TokenId right) const;  // null: no merge
  std::size_t slot_of(std::uint64_t pair) const;
  void encode_short(std::span<const TokenId> symbols, std::vector<TokenId>& ids) const;
  void encode_long(std::span<const TokenId> symbols, std::vector<TokenId>& ids) const;

  std::vector<Slot> slots_;  // open addressing; a power of two, at most half full
};

}  // namespace micius
