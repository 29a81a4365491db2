// What a model file says of its tokenizer, whatever the file's format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/pretokenizer.h"

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

// What SentencePiece does with blanks beside writing them as U+2581.
enum class Blanks : std::uint8_t {
  kKept,
  kMerged,   // a run becomes one
  kTrimmed,  // the same, and those at both ends of a text go (`remove_extra_whitespaces`)
};

// Where a blank is put in front.
enum class BlankPrefix : std::uint8_t {
  kNone,
  kStart,      // of the text
  kEveryPart,  // also behind each special token (llama.cpp, and "legacy" in tokenizer.json)
};

struct TokenizerData {
  std::string model;                  // one of covered_models()
  std::string pre;                    // gpt2: the pre-tokenizer's name
  std::optional<PreTokenizer> steps;  // gpt2: stands for `pre` where the file states the steps
  // By id. Normal ones of gpt2 in the byte-level alphabet, of llama and t5 with U+2581 for blanks (a real
  // blank means the same), of bert as in vocab.txt; others as they are, bytes as <0x0A>.
  std::vector<std::string> tokens;
  std::vector<TokenKind> kinds;     // by id; empty: all are normal
  std::vector<std::string> merges;  // gpt2, or llama where it has no scores: "left right", by rank
  std::vector<float> scores;        // by id; t5, or llama where it has no merges
  std::string charsmap;             // llama, t5: SentencePiece's `precompiled_charsmap`; empty: none
  Blanks blanks = Blanks::kKept;
  BlankPrefix prefix = BlankPrefix::kNone;
  bool prefix_before_blank = true;  // the blank is put in front of a blank too
  std::optional<TokenId> bos, eos, unknown;
  bool add_bos = false;               // a prompt begins with `bos`
  bool add_eos = false;               // a text ends with `eos`
  std::vector<TokenId> takes_before;  // special tokens that swallow the white space before them
  std::vector<TokenId> takes_behind;  // and behind them
};

enum class SpecialText {
  kPlain,       // encode: control tokens in a text are ordinary characters; decode: they are left out
  kRecognised,  // encode: they become their ids; decode: they are written out
};

// The model of a file without a tokenizer: such a model is asked with ids and answers in ids.
inline constexpr const char* kNoTokenizer = "no_vocab";

// kNoTokenizer, "gpt2" (byte-level BPE), "llama" (SentencePiece's BPE), "t5" (unigram), "bert" (WordPiece).
std::vector<std::string> covered_models();

}  // namespace micius
