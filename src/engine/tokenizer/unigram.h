// SentencePiece's unigram model (Kudo, 2018): the cut of a text into pieces with the highest sum of scores,
// found from the left (Viterbi). Sums are kept in single precision as SentencePiece keeps them, so that ties
// fall alike.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/tokenizer/piece_tree.h"
#include "engine/tokenizer/spm_text.h"

namespace micius {

class Unigram : public TextModel {
 public:
  explicit Unigram(const TokenizerData& data);

  // Work is linear in the text, times the longest piece.
  void encode(std::string_view part, Before before, std::vector<TokenId>& ids) const override;

 private:
  struct Node;
  std::vector<Node> best_path(std::string_view text) const;

  SpmText text_;
  std::vector<TokenId> byte_tokens_;  // empty: none
  std::optional<TokenId> unknown_;
  PieceTree pieces_;
  std::vector<float> scores_;
  float unknown_score_;
};

}  // namespace micius
