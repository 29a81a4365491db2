// SentencePiece's BPE: characters joined to pieces of the vocabulary, the piece with the best score first,
// the leftmost among equals. A character that no piece has becomes its bytes, or the unknown token once a
// run.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/tokenizer/spm_text.h"

namespace micius {

class SpmBpe : public TextModel {
 public:
  // Joins by data.merges in their order, or where there are none by data.scores. Throws Error{kInvalidData}
  // for a merge of what is no token.
  explicit SpmBpe(const TokenizerData& data);

  void encode(std::string_view part, Before before, std::vector<TokenId>& ids) const override;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  class Writer;
  // What characters are before anything is joined: the token that is the character, or for one that only
  // longer pieces have a number from the vocabulary's size on.
  class Symbols {
   public:
    explicit Symbols(const TokenizerData& data);
    TokenId of(char32_t c) const;  // kNoToken: no piece has it
    // The character of a symbol that is no token.
    char32_t character(TokenId symbol) const { return tokenless_[static_cast<std::size_t>(symbol - size_)]; }
    bool is_token(TokenId symbol) const { return symbol < size_; }

   private:
    TokenId& place(char32_t c);

    TokenId size_;                // of the vocabulary
    std::vector<TokenId> first_;  // of the first 65,536 characters
    std::unordered_map<char32_t, TokenId> others_;
    std::vector<char32_t> tokenless_;
  };
  static std::vector<Bpe::Merge> listed_merges(const TokenizerData& data, const Symbols& symbols);
  static std::vector<Bpe::Merge> scored_merges(const TokenizerData& data, const Symbols& symbols);
  void encode_word(std::string_view word, Writer& out) const;

  SpmText text_;
  std::vector<TokenId> byte_tokens_;  // empty: none
  std::optional<TokenId> unknown_;
  Symbols symbols_;
  Bpe bpe_;
  bool apart_;  // no piece has a blank behind another character: words are joined one by one
  std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>> whole_;  // words that become one token
};

}  // namespace micius
