#include "engine/tokenizer/piece_tree.h"

#include <algorithm>

namespace micius {

// Level by level: `ranges` holds the pieces below each node that has no children yet.
PieceTree::PieceTree(std::vector<Piece> pieces) {
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.text < b.text; });
  struct Range {
    std::size_t begin, end, depth;
  };
  std::vector<Range> ranges = {{0, pieces.size(), 0}};
  nodes_.emplace_back();
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    auto [i, end, depth] = ranges[n];
    nodes_[n].first_child = static_cast<std::uint32_t>(nodes_.size());
    while (i < end && pieces[i].text.size() == depth) {
      if (nodes_[n].id == kNoToken) nodes_[n].id = pieces[i].id;
      ++i;
    }
    while (i < end) {
      const auto byte = static_cast<unsigned char>(pieces[i].text[depth]);
      const std::size_t begin = i;
      while (i < end && static_cast<unsigned char>(pieces[i].text[depth]) == byte) ++i;
      ++nodes_[n].children;
      if (n == 0) first_[byte] = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({kNoToken, 0, 0, byte});
      ranges.push_back({begin, i, depth + 1});
    }
  }
}

}  // namespace micius
