// Tokens that are found in a text as they are written, before any pre-tokenizer: a prefix tree, longest
// match.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/tokenizer/bpe.h"

namespace micius {

// Immutable once filled; then safe from several threads.
class SpecialTokens {
 public:
  enum class Reach { kUserDefined, kAll };
  struct Match {
    TokenId id;
    std::size_t size;  // bytes
  };

  static constexpr std::size_t kMaxSize = 512;  // bytes of one token; bounds the work at each place of a text

  // `reach` is the narrowest one that finds the token. Throws Error{kInvalidData} if it is longer than
  // kMaxSize. An empty one is never found.
  void add(std::string_view token, TokenId id, Reach reach);

  bool may_start(char byte) const { return first_[static_cast<unsigned char>(byte)]; }
  // The longest token that `text` starts with.
  std::optional<Match> match(std::string_view text, Reach reach) const;

 private:
  struct Node {
    TokenId id = kNoToken;
    Reach reach = Reach::kAll;
  };

  std::bitset<256> first_;
  std::vector<Node> nodes_ = {Node{}};
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node * 256 + byte -> node
};

}  // namespace micius
