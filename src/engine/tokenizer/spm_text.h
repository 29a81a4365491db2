// How SentencePiece writes a text before its models cut it (Kudo and Richardson, 2018): characters mapped,
// blanks as U+2581.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/charsmap.h"
#include "engine/tokenizer/text_model.h"

namespace micius {

constexpr std::string_view kSpmBlank = "\xE2\x96\x81";

std::string with_spm_blanks(std::string_view text);     // ' ' becomes U+2581
std::string without_spm_blanks(std::string_view text);  // and back

// The byte that a token of kind kByte stands for. Throws Error{kInvalidData} if it is not like "<0x0A>".
unsigned char spm_byte(std::string_view token, std::size_t id);

// What each token adds to a text.
std::vector<std::string> spm_token_bytes(const TokenizerData& data);

// By byte; empty where the vocabulary lacks one of the 256.
std::vector<TokenId> spm_byte_tokens(const TokenizerData& data);

class SpmText {
 public:
  explicit SpmText(const TokenizerData& data);
  // `part` as the model reads it.
  std::string prepare(std::string_view part, TextModel::Before before) const;

 private:
  std::string mapped(std::string_view part) const;

  Charsmap charsmap_;
  bool maps_;
  Blanks blanks_;
  BlankPrefix prefix_;
  bool prefix_before_blank_;
};

}  // namespace micius
