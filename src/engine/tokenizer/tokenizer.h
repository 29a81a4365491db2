// Text to token ids and back, without weights. Byte-level BPE.
//
//   const Tokenizer tokenizer(tokenizer_data_from(gguf));
//   const std::vector<TokenId> ids = tokenizer.encode("GPU 0: 91 C", SpecialText::kRecognised);
//   const std::string bytes = tokenizer.decode(ids, SpecialText::kRecognised);
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/special_tokens.h"

namespace micius {

// The numbers of `tokenizer.ggml.token_type`.
enum class TokenKind : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

// What a model file says.
struct TokenizerData {
  std::string model;                // "gpt2": byte-level BPE
  std::string pre;                  // the pre-tokenizer's name
  std::vector<std::string> tokens;  // by id; normal ones in the byte-level alphabet, others as they are
  std::vector<TokenKind> kinds;     // by id; empty: all are normal
  std::vector<std::string> merges;  // "left right", by rank
  std::optional<TokenId> bos, eos;
  bool add_bos = false;  // a prompt begins with `bos`
};

enum class SpecialText {
  kPlain,       // encode: control tokens in a text are ordinary characters; decode: they are left out
  kRecognised,  // encode: they become their ids; decode: they are written out
};

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

  // The ids of `text`; no BOS or EOS is added. Ill-formed UTF-8 counts as U+FFFD, one a maximal part. A byte
  // that has no token is left out before merging, as the published tokenizers do. User-defined tokens are
  // always recognised. Throws Error{kUsage} for a text of more than 1 GiB.
  std::vector<TokenId> encode(std::string_view text, SpecialText special) const;

  // The bytes of `ids`, exact: one id may hold a part of a character. Throws Error{kUsage} for an id that is
  // not in the vocabulary.
  std::string decode(std::span<const TokenId> ids, SpecialText special) const;
  std::string_view bytes(TokenId id) const;  // of one id, also of a control token; valid while this lives
  bool is_control(TokenId id) const;

  // The id of a control, unknown or user-defined token by its text.
  std::optional<TokenId> find_special(std::string_view token) const;

  std::size_t size() const { return bytes_.size(); }
  std::optional<TokenId> bos() const { return bos_; }
  std::optional<TokenId> eos() const { return eos_; }
  bool add_bos() const { return add_bos_; }

 private:
  void encode_plain(std::string_view text, std::vector<TokenId>& ids) const;
  void check(TokenId id) const;

  PreTokenizer pre_;
  std::vector<std::string> bytes_;  // by id
  std::vector<TokenKind> kinds_;    // by id
  SpecialTokens special_;
  Bpe bpe_;
  // Pieces that are one token: those that merging reaches, or all of them if pre_.whole_words. Views of
  // bytes_.
  std::unordered_map<std::string_view, TokenId> words_;
  std::optional<TokenId> bos_, eos_;
  bool add_bos_ = false;
};

// Turns ids into text one by one; holds back a character until its last byte is there. The pieces joined are
// the decoded bytes with ill-formed parts as U+FFFD.
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
