// Byte-level BPE (GPT-2 and its descendants): NFC where the family asks for it, a pre-tokenizer, then BPE on
// the bytes of each piece.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/tokenizer/text_model.h"

namespace micius {

class ByteBpe : public TextModel {
 public:
  // Throws Error{kUnsupported} for a pre-tokenizer that is not covered, Error{kInvalidData} for a merge of
  // what is no token.
  explicit ByteBpe(const TokenizerData& data);

  // A byte that has no token is left out before merging, as the published tokenizers do.
  void encode(std::string_view part, Before before, std::vector<TokenId>& ids) const override;

 private:
  using Vocabulary = std::unordered_map<std::string_view, TokenId>;
  ByteBpe(const TokenizerData& data, const Vocabulary& vocabulary);
  void encode_piece(std::string_view piece, std::vector<TokenId>& symbols, std::vector<TokenId>& ids) const;

  PreTokenizer pre_;
  BlankPrefix prefix_;
  bool prefix_before_blank_;
  std::array<TokenId, 256> byte_tokens_;
  Bpe bpe_;
  // Pieces that are one token: those that merging reaches, or all of them if pre_.whole_words. Views of
  // token_bytes().
  std::unordered_map<std::string_view, TokenId> words_;
};

}  // namespace micius
