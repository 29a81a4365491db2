// Text to token ids and back, without weights: byte-level BPE, SentencePiece's BPE and unigram, WordPiece.
//
//   const Tokenizer tokenizer(tokenizer_data_from(gguf));
//   const std::vector<TokenId> ids = tokenizer.encode("GPU 0: 91 C", SpecialText::kRecognised);
//   const std::string bytes = tokenizer.decode(ids, SpecialText::kRecognised);
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/special_tokens.h"
#include "engine/tokenizer/text_model.h"
#include "engine/tokenizer/tokenizer_data.h"

namespace micius {

// Immutable; safe from several threads. Movable, not copied: it holds a vocabulary.
class Tokenizer {
 public:
  // Throws Error{kUnsupported} for a model or pre-tokenizer that is not covered, with those that are, and
  // Error{kInvalidData} for data that does not hold together, with the token or merge.
  explicit Tokenizer(TokenizerData data);
  Tokenizer(Tokenizer&&) = default;
  Tokenizer& operator=(Tokenizer&&) = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // The ids of `text`; no BOS or EOS is added. Ill-formed UTF-8 counts as U+FFFD, one a maximal part.
  // User-defined tokens are always recognised. Throws Error{kUsage} for a text of more than 1 GiB, and
  // Error{kUnsupported} for a model without a tokenizer (size() is 0).
  std::vector<TokenId> encode(std::string_view text, SpecialText special) const;

  // The bytes of `ids`, exact: one id may hold a part of a character. The blank that encode puts in front of
  // a text is taken off again. Throws Error{kUsage} for an id that is not in the vocabulary.
  std::string decode(std::span<const TokenId> ids, SpecialText special) const;
  // What one id adds to a text that goes on; valid while this lives. Plain: nothing for a control token,
  // SentencePiece's U+2047 between blanks for the unknown token of its models.
  std::string_view text(TokenId id, SpecialText special) const;
  // The same with special tokens written out.
  std::string_view bytes(TokenId id) const { return text(id, SpecialText::kRecognised); }
  bool is_control(TokenId id) const;

  // The id of a control, unknown or user-defined token by its text.
  std::optional<TokenId> find_special(std::string_view token) const;

  std::size_t size() const { return model_->token_bytes().size(); }
  std::optional<TokenId> bos() const { return bos_; }
  std::optional<TokenId> eos() const { return eos_; }
  bool add_bos() const { return add_bos_; }
  bool add_eos() const { return add_eos_; }

 private:
  void add_special(const TokenizerData& data);
  void check(TokenId id) const;
  std::string written(std::string_view token) const;  // a special token as it is looked for

  std::unique_ptr<const TextModel> model_;
  std::vector<TokenKind> kinds_;  // by id
  SpecialTokens special_;
  std::vector<bool> takes_before_, takes_behind_;  // by id; empty: none does
  // SentencePiece: user-defined tokens may hold blanks, and a U+2581 in a text counts as one.
  bool maps_blanks_ = false;
  BlankPrefix prefix_;
  bool cuts_blank_;                       // decode: that of the first token
  bool cuts_blanks_;                      // and of those behind it that hold nothing else
  std::optional<TokenId> plain_unknown_;  // decode: the token that becomes U+2047
  std::optional<TokenId> bos_, eos_;
  bool add_bos_, add_eos_;
};

// Turns the ids of a text that goes on into text one by one; holds back a character until its last byte is
// there. The pieces joined are what Tokenizer::text gives with ill-formed parts as U+FFFD.
class StreamDecoder {
 public:
  // `tokenizer` must outlive this.
  StreamDecoder(const Tokenizer& tokenizer, SpecialText special)
      : tokenizer_(&tokenizer), special_(special) {}

  std::string push(TokenId id);  // the text that is complete now; may be empty
  std::string finish();          // what is held back

 private:
  const Tokenizer* tokenizer_;
  SpecialText special_;
  std::string pending_;
};

}  // namespace micius
