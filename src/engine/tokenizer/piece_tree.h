// A prefix tree over a vocabulary: all pieces that a text starts with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/bpe.h"

namespace micius {

// Immutable once built; safe from several threads.
class PieceTree {
 public:
  struct Piece {
    std::string text;  // not empty
    TokenId id;
  };

  // Of equal texts the first counts.
  explicit PieceTree(std::vector<Piece> pieces);

  // Calls fn(bytes, id) for each piece that `text` starts with, the shortest first.
  template <typename Fn>
  void for_each_prefix(std::string_view text, const Fn& fn) const {
    const Node* node = &nodes_[0];
    for (std::size_t size = 1; size <= text.size(); ++size) {
      node = child(*node, static_cast<unsigned char>(text[size - 1]));
      if (node == nullptr) return;
      if (node->id != kNoToken) fn(size, node->id);
    }
  }

 private:
  struct Node {
    TokenId id = kNoToken;
    std::uint32_t first_child = 0;  // children stand side by side, their bytes rising
    std::uint16_t children = 0;
    std::uint8_t byte = 0;
  };

  const Node* child(const Node& node, unsigned char byte) const {
    if (&node == nodes_.data()) return first_[byte] == 0 ? nullptr : &nodes_[first_[byte]];
    const Node* low = nodes_.data() + node.first_child;
    for (std::size_t size = node.children; size > 0;) {
      const std::size_t half = size / 2;
      if (low[half].byte == byte) return low + half;
      if (low[half].byte < byte) {
        low += half + 1;
        size -= half + 1;
      } else {
        size = half;
      }
    }
    return nullptr;
  }

  std::vector<Node> nodes_;
  std::array<std::uint32_t, 256> first_{};  // the root's children; 0: none
};

}  // namespace micius
