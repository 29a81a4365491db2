#include "engine/tokenizer/unigram.h"

#include <algorithm>

#include "base/text.h"

namespace micius {
namespace {

// Normal pieces; their ids are those of the tokens.
std::vector<PieceTree::Piece> normal_pieces(const TokenizerData& data) {
  std::vector<PieceTree::Piece> pieces;
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kind_of(data, id) == TokenKind::kNormal && !data.tokens[id].empty())
      pieces.push_back({with_spm_blanks(data.tokens[id]), static_cast<TokenId>(id)});
  }
  return pieces;
}

// A character that is no piece costs ten more than the worst piece.
float unknown_score(const TokenizerData& data) {
  std::optional<float> least;
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kind_of(data, id) == TokenKind::kNormal)
      least = least ? std::min(*least, data.scores[id]) : data.scores[id];
  }
  return least.value_or(0) - 10;
}

}  // namespace

// The best way to a place of the text.
struct Unigram::Node {
  std::uint32_t begin = kNowhere;  // of its last piece
  TokenId id = kNoToken;           // kNoToken: an unknown character
  float score = 0;

  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
};

Unigram::Unigram(const TokenizerData& data)
    : TextModel(spm_token_bytes(data)),
      text_(data),
      byte_tokens_(spm_byte_tokens(data)),
      unknown_(data.unknown),
      pieces_(normal_pieces(data)),
      scores_(data.scores),
      unknown_score_(unknown_score(data)) {}

std::vector<Unigram::Node> Unigram::best_path(std::string_view text) const {
  std::vector<Node> nodes(text.size() + 1);
  const auto offer = [&](std::size_t begin, std::size_t end, TokenId id, float score) {
    Node& node = nodes[end];
    const float sum = score + nodes[begin].score;
    if (node.begin == Node::kNowhere || sum > node.score) node = {static_cast<std::uint32_t>(begin), id, sum};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t next = begin;
    next_code_point(text, next);
    bool is_piece = false;
    pieces_.for_each_prefix(text.substr(begin), [&](std::size_t size, TokenId id) {
      offer(begin, begin + size, id, scores_[static_cast<std::size_t>(id)]);
      is_piece = is_piece || begin + size == next;
    });
    if (!is_piece) offer(begin, next, kNoToken, unknown_score_);
    begin = next;
  }
  return nodes;
}

void Unigram::encode(std::string_view part, Before before, std::vector<TokenId>& ids) const {
  const std::string text = text_.prepare(part, before);
  const std::vector<Node> nodes = best_path(text);
  const std::size_t first = ids.size();
  bool before_unknown = false;
  for (std::size_t end = text.size(); end > 0; end = nodes[end].begin) {
    const Node& node = nodes[end];
    if (node.id != kNoToken) {
      ids.push_back(node.id);
    } else if (!byte_tokens_.empty()) {
      for (std::size_t i = end; i > node.begin; --i)
        ids.push_back(byte_tokens_[static_cast<unsigned char>(text[i - 1])]);
    } else if (unknown_ && !before_unknown) {
      ids.push_back(*unknown_);
    }
    before_unknown = node.id == kNoToken;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
}

}  // namespace micius
