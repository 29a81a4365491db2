#include "engine/tokenizer/pretokenizer.h"

#include <algorithm>

namespace micius {
namespace {

using char_class::Characters;
using char_class::Set;

// Matches at one place of the text, inside one piece. Each function returns the end of its match, or `i`.
class Matcher {
 public:
  Matcher(const Characters& text, std::size_t begin, std::size_t end)
      : text_(text), end_(end), last_blanks_(end) {
    while (last_blanks_ > begin && has(char_class::kSpace, last_blanks_ - 1)) --last_blanks_;
  }

  std::size_t match(const RunStep& step, std::size_t i) const {
    const std::size_t start = has(step.before, i) && has(step.one, i + 1) ? i + 1 : i;
    const std::size_t j = run(step.one, start, step.max);
    return j - start >= step.min ? j : i;
  }

  std::size_t match(const TrailingSpaceStep&, std::size_t i) const { return i >= last_blanks_ ? end_ : i; }

  // From a cut to the next one; what lies before the first cut is no match.
  std::size_t match(const DigitGroupStep&, std::size_t i) {
    if (!begins_digit_group(i)) return i;
    std::size_t j = i + 3;
    while (j < end_ && !begins_digit_group(j)) ++j;
    return j;
  }

  std::size_t match(const WordStep& step, std::size_t i) const {
    std::size_t j = step.cased ? cased_word(step, i) : contraction(step.contractions, i);
    if (j == i && step.ascii_words) j = ascii_word(i);
    if (j == i && !step.cased) j = word(step, i);
    if (j == i) j = number(step, i);
    if (j == i) j = other(step, i);
    if (j == i) j = blanks(step, i);
    return j;
  }

 private:
  bool has(const Set& set, std::size_t i) const { return i < end_ && set.has(text_.code[i], text_.bits[i]); }
  bool has(char_class::Bits bits, std::size_t i) const { return i < end_ && (text_.bits[i] & bits) != 0; }
  bool is(char32_t c, std::size_t i) const { return i < end_ && text_.code[i] == c; }

  // Asked for rising places only.
  bool begins_digit_group(std::size_t i) {
    constexpr char_class::Bits kDigit = char_class::category(9);  // Nd
    if (i >= digits_end_) digits_end_ = skip(i, kDigit);
    return i < digits_end_ && (digits_end_ - i) % 3 == 0;
  }

  std::size_t skip(std::size_t i, const Set& set) const {
    while (has(set, i)) ++i;
    return i;
  }
  std::size_t skip(std::size_t i, char_class::Bits bits) const {
    while (has(bits, i)) ++i;
    return i;
  }
  std::size_t run(const Set& set, std::size_t i, std::size_t max) const {
    const std::size_t limit = max < end_ - i ? i + max : end_;
    while (i < limit && has(set, i)) ++i;
    return i;
  }

  // In any case, U+017F (long s) is an s too, as in the published expressions' engines.
  char32_t letter_at(WordStep::Contractions kind, std::size_t i) const {
    if (i >= end_) return 0;
    const char32_t c = text_.code[i];
    if (kind != WordStep::Contractions::kAnyCase) return c;
    if (c == 0x17F) return 's';
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  }

  std::size_t contraction(WordStep::Contractions kind, std::size_t i) const {
    if (kind == WordStep::Contractions::kNone || !is('\'', i)) return i;
    const char32_t a = letter_at(kind, i + 1), b = letter_at(kind, i + 2);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? i + 3 : i;
  }

  std::size_t ascii_word(std::size_t i) const {
    const auto letter = [&](std::size_t j) {
      return j < end_ && text_.code[j] < 0x80 && (text_.bits[j] & char_class::kLetter) != 0;
    };
    if (i >= end_ || text_.code[i] >= 0x80 ||
        (text_.bits[i] & (char_class::kPunctuation | char_class::kSymbol)) == 0)
      return i;
    std::size_t j = i + 1;
    while (letter(j)) ++j;
    return j > i + 1 ? j : i;
  }

  std::size_t word(const WordStep& step, std::size_t i) const {
    const std::size_t start = has(step.letter_prefix, i) && has(step.letter, i + 1) ? i + 1 : i;
    const std::size_t j = skip(start, step.letter);
    return j > start ? j : i;
  }

  std::size_t cased_word(const WordStep& step, std::size_t i) const {
    for (const auto part : {&Matcher::upper_then_lower, &Matcher::upper_then_maybe_lower}) {
      for (const bool with_prefix : {true, false}) {
        if (with_prefix && !has(step.letter_prefix, i)) continue;
        const std::size_t start = with_prefix ? i + 1 : i;
        const std::size_t j = (this->*part)(start);
        if (j > start) return contraction(step.contractions, j);
      }
    }
    return i;
  }

  static constexpr char_class::Bits kUncased =
      char_class::kModifierLetter | char_class::kOtherLetter | char_class::kMark;
  static constexpr char_class::Bits kUpperPart = char_class::kUpper | char_class::kTitle | kUncased;
  static constexpr char_class::Bits kLowerPart = char_class::kLower | kUncased;

  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+
  std::size_t upper_then_lower(std::size_t i) const {
    const std::size_t upper = skip(i, kUpperPart);
    const std::size_t lower = skip(upper, kLowerPart);
    if (lower > upper) return lower;
    for (std::size_t j = upper; j > i; --j) {  // give back until the second part has one
      if (has(kLowerPart, j - 1)) return j;
    }
    return i;
  }

  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*
  std::size_t upper_then_maybe_lower(std::size_t i) const {
    const std::size_t upper = skip(i, kUpperPart);
    return upper > i ? skip(upper, kLowerPart) : i;
  }

  std::size_t number(const WordStep& step, std::size_t i) const {
    if (step.number_max > 0) return run(step.number, i, step.number_max);
    const std::size_t start = is(' ', i) && has(step.number, i + 1) ? i + 1 : i;
    const std::size_t j = skip(start, step.number);
    return j > start ? j : i;
  }

  std::size_t other(const WordStep& step, std::size_t i) const {
    const std::size_t start = is(' ', i) && has(step.other, i + 1) ? i + 1 : i;
    const std::size_t j = skip(start, step.other);
    return j > start ? skip(j, step.other_tail) : i;
  }

  std::size_t blanks(const WordStep& step, std::size_t i) const {
    std::size_t j = i, after_newline = i;
    for (; has(char_class::kSpace, j); ++j) {
      if (has(char_class::kNewline, j)) after_newline = j + 1;
    }
    if (step.newlines && after_newline > i) return after_newline;
    return j < end_ && j > i + 1 ? j - 1 : j;
  }

  const Characters& text_;
  std::size_t end_;
  std::size_t last_blanks_;     // start of the blanks at the end of the piece
  std::size_t digits_end_ = 0;  // of the run of digits that was met last
};

// Cuts [begin, end) and appends the ends of its parts.
template <typename Step>
void cut(const Step& step, const Characters& text, std::size_t begin, std::size_t end,
         std::vector<std::uint32_t>& ends) {
  Matcher matcher(text, begin, end);
  std::size_t loose = begin;  // start of what no match has taken yet
  for (std::size_t i = begin; i < end;) {
    const std::size_t j = matcher.match(step, i);
    if (j == i) {
      ++i;
      continue;
    }
    if (loose < i) ends.push_back(static_cast<std::uint32_t>(i));
    ends.push_back(static_cast<std::uint32_t>(j));
    loose = i = j;
  }
  if (loose < end) ends.push_back(static_cast<std::uint32_t>(end));
}

}  // namespace

std::vector<std::uint32_t> split_pieces(const PreTokenizer& pre, const Characters& text) {
  std::vector<std::uint32_t> ends;
  if (text.code.empty()) return ends;
  ends.push_back(static_cast<std::uint32_t>(text.code.size()));
  for (const SplitStep& step : pre.steps) {
    std::vector<std::uint32_t> next;
    next.reserve(ends.size() + text.code.size() / 4);
    std::uint32_t begin = 0;
    for (const std::uint32_t end : ends) {
      std::visit([&](const auto& s) { cut(s, text, begin, end, next); }, step);
      begin = end;
    }
    ends = std::move(next);
  }
  return ends;
}

}  // namespace micius
