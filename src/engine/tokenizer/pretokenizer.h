// How a text is cut into pieces before BPE, by the name in `tokenizer.ggml.pre`.
//
// Published tokenizers state this as regular expressions. Those in use are a handful of shapes over Unicode
// classes, so they are written out here as values of three kinds of step, each linear in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/tokenizer/char_class.h"

namespace micius {

// Cuts out `before?` + `one`{min,max}: digits, punctuation, scripts.
struct RunStep {
  char_class::Set one;
  char_class::Set before;
  std::size_t min = 1;
  std::size_t max = std::numeric_limits<std::size_t>::max();
  bool operator==(const RunStep&) const = default;
};

// Cuts out the blanks at the end of a piece: `\s+$`.
struct TrailingSpaceStep {
  bool operator==(const TrailingSpaceStep&) const = default;
};

// Cuts before each three digits, counted from the end of their run: `(?=(\d{3})+(?!\d))`.
struct DigitGroupStep {
  bool operator==(const DigitGroupStep&) const = default;
};

// GPT-2's expression and its descendants. Alternatives, the first that matches wins:
//   's 't 're 've 'm 'll 'd                (contractions)
//   [punctuation][A-Za-z]+                 (ascii_words)
//   letter_prefix? letter+                 (cased: an upper-case part, then a lower-case part, one of them
//   may
//                                           be empty, then perhaps a contraction)
//   ` ?number+` or number{1,number_max}    (numbers)
//   ` ?other+ other_tail*`
//   \s*[\r\n]+                             (newlines)
//   \s+(?!\S) | \s+
struct WordStep {
  enum class Contractions { kNone, kExact, kAnyCase };
  Contractions contractions = Contractions::kNone;
  bool ascii_words = false;
  bool cased = false;
  char_class::Set letter_prefix;
  char_class::Set letter;
  char_class::Set number;
  std::size_t number_max = 0;  // 0: no limit, and one blank may stand before
  char_class::Set other;
  char_class::Set other_tail;
  bool newlines = false;
  bool operator==(const WordStep&) const = default;
};

using SplitStep = std::variant<RunStep, TrailingSpaceStep, DigitGroupStep, WordStep>;

struct PreTokenizer {
  std::vector<SplitStep> steps;  // each cuts the pieces that the one before left
  bool nfc = false;              // the published tokenizer normalises to NFC first
  bool whole_words = false;      // a piece that is a token is taken whole, whatever the merges say
  bool operator==(const PreTokenizer&) const = default;
};

// Throws Error{kUnsupported} with the covered names for any other one.
PreTokenizer make_pre_tokenizer(std::string_view pre);
std::vector<std::string> covered_pre_tokenizers();
// A name that make_pre_tokenizer() gives these steps for; absent if there is none.
std::optional<std::string> pre_tokenizer_name(const PreTokenizer& pre);

// The steps that tokenizer.json states one by one.
SplitStep gpt2_step();
RunStep number_step(bool each);       // numeric characters: each alone, or runs
RunStep punctuation_step(bool each);  // punctuation and ASCII's symbols
// The step that cuts as a published expression does; absent for any other one.
std::optional<SplitStep> step_of_expression(std::string_view expression);

// The ends of the pieces of `text`, as indices of its code points, rising; together they cover the text.
std::vector<std::uint32_t> split_pieces(const PreTokenizer& pre, const char_class::Characters& text);

}  // namespace micius
