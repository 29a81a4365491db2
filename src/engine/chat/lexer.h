// Jinja's lexer with trim_blocks and lstrip_blocks on, as chat templates are read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/failure.h"
#include "engine/chat/value.h"

namespace micius::jinja {

struct Position {
  int line = 1, column = 1;  // column in bytes
};

struct Token {
  enum class Kind {
    kData,        // text between tags; `text` is what is printed
    kPrintBegin,  // {{
    kPrintEnd,    // }}
    kBlockBegin,  // {%
    kBlockEnd,    // %}
    kName,
    kText,  // a string literal, without quotes and escapes
    kInteger,
    kFloat,
    kOperator,
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;  // as written; of kData and kText its value
  Value value;       // of a number
  Position at;
};

// A template that could not be read.
struct ReadFailure {
  Failure failure;
  Position at;
};

// The tokens of a template, the last one kEnd. Comments and the text of tags that Jinja strips are gone.
// Throws ReadFailure.
std::vector<Token> tokenize(std::string_view source);

// How a message shows a token: 'end of print statement', 'name', '+'.
std::string describe(const Token& token);

constexpr std::size_t kMaxTagTokens = 2000;  // of one {{ }} or {% %}; bounds the nesting of an expression

}  // namespace micius::jinja
