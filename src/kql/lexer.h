// The lexer of KQL. It gives the tokens of Microsoft's own lexer, also for text that is wrong:
//
//   lex("T | where a has 'b'").tokens   // T  |  where  a  has  'b'  and the end
//
// What makes it more than splitting at blanks: a literal may hold blanks ("datetime(2024-01-01 10:00)"), a
// keyword may be several words ("matches regex", "mv-expand", "!in~"), and case matters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kql/token.h"

namespace micius::kql {

struct LexError {
  std::uint32_t offset = 0;  // bytes
  std::string message;
};

struct Lexed {
  std::vector<Token> tokens;  // in the order of the text, without blanks and comments; the last is kEndOfText
  std::vector<LexError> errors;  // in the same order; at most kMaxLexErrors are kept
};

inline constexpr std::size_t kMaxLexErrors = 100;
// A longer text is not read (offsets are 32 bits wide): lex() gives one error and no token but the end.
inline constexpr std::size_t kMaxText = std::size_t{1} << 30;

// Linear in the size of `text`, which need not be valid UTF-8: a byte that begins no character is a kBad
// token.
Lexed lex(std::string_view text);

// The value of a string literal: without its quotes, with its escapes decoded. `literal` is a
// kStringLiteral's text; one without an end is read up to its end.
std::string decode_string(std::string_view literal);

}  // namespace micius::kql
