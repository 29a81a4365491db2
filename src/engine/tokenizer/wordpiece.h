// BERT's uncased tokenizer: basic tokenisation, then WordPiece (Devlin et al., 2019, and its published code).
//
// Control tokens ([CLS] and the like) are found in the text as it is written. The rest loses control
// characters and ill-formed bytes, is decomposed (NFD), loses its accents (Mn) and is lower-cased; it is cut
// at white space, and each punctuation mark and each CJK character is a word of its own. A word becomes the
// longest pieces of the vocabulary from the left, all but the first with "##" before them; a word that cannot
// be cut so, or of more than 100 characters, becomes [UNK].
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/special_tokens.h"
#include "engine/tokenizer/text_model.h"

namespace micius {

// Immutable; safe from several threads. Work is linear in the text.
class WordPiece {
 public:
  // `vocabulary`: the text of vocab.txt, a token a line, ids from 0; `name` stands for it in messages. Throws
  // Error{kInvalidData} naming the line of a token that comes twice, or the control token that is missing.
  WordPiece(std::string_view vocabulary, const std::string& name);
  // The same from its lines; messages number them from 1.
  WordPiece(std::vector<std::string> tokens, const std::string& name);
  WordPiece(const WordPiece&) = delete;
  WordPiece& operator=(const WordPiece&) = delete;

  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  // The first `limit` ids of `text`; reads no more of it than they need.
  std::vector<TokenId> encode(std::string_view text, std::size_t limit = kNoLimit) const;

  // Appends the ids of a text in which control tokens are ordinary characters.
  void encode_plain(std::string_view text, std::vector<TokenId>& ids) const;

  std::size_t size() const { return tokens_.size(); }
  TokenId cls() const { return cls_; }
  TokenId sep() const { return sep_; }

 private:
  class Run;
  struct Word;
  TokenId control(std::string_view token, const std::string& name);
  void add_word(const Word& word, std::vector<TokenId>& ids) const;

  std::vector<std::string> tokens_;  // by id
  using Pieces = std::unordered_map<std::string_view, TokenId>;
  // Views of tokens_: pieces that begin a word, and those that go on, without their "##".
  Pieces first_, later_;
  std::size_t longest_ = 0;  // piece, in bytes
  SpecialTokens control_;
  TokenId unk_ = 0, cls_ = 0, sep_ = 0;
};

class WordPieceModel : public TextModel {
 public:
  // A blank stands before each piece that begins a word. What the words were before they lost case and
  // accents is gone, and so is where blanks were.
  explicit WordPieceModel(const TokenizerData& data);
  void encode(std::string_view part, Before, std::vector<TokenId>& ids) const override {
    words_.encode_plain(part, ids);
  }

 private:
  WordPiece words_;
};

}  // namespace micius
