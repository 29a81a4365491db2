// One pass, no backtracking over more than one word. The order in which the kinds of token are tried is
// Microsoft's, since it shows: `1h` is a timespan, `1hx` a name, `1e5` a number.
#include "kql/lexer.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.h"

namespace micius::kql {
namespace {

constexpr std::uint8_t kLetter = 1, kDigit = 2, kUnderscore = 4, kHex = 8, kBlank = 16, kStem = 32;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 'a'; c <= 'z'; ++c) classes[c] |= kLetter;
  for (int c = 'A'; c <= 'Z'; ++c) classes[c] |= kLetter;
  for (int c = '0'; c <= '9'; ++c) classes[c] |= kDigit | kHex;
  for (int c = 'a'; c <= 'f'; ++c) classes[c] |= kHex;
  for (int c = 'A'; c <= 'F'; ++c) classes[c] |= kHex;
  classes['_'] |= kUnderscore;
  for (const char c : {'\t', ' ', '\r', '\n', '\f'}) classes[static_cast<unsigned char>(c)] |= kBlank;
  // The first letters of the keywords of several words.
  for (const char c : {'a', 'c', 'g', 'h', 'i', 'm', 'p', 's', 't'})
    classes[static_cast<unsigned char>(c)] |= kStem;
  return classes;
}

constexpr std::array<std::uint8_t, 256> kClasses = make_classes();
constexpr std::uint8_t kWord = kLetter | kDigit | kUnderscore;

bool is(char c, std::uint8_t classes) { return (kClasses[static_cast<unsigned char>(c)] & classes) != 0; }

// Blanks beyond ASCII. U+200B and U+FEFF are none in Unicode, but are here.
bool is_wide_blank(char32_t c) {
  return c == 0xa0 || c == 0x1680 || c == 0x180e || (c >= 0x2000 && c <= 0x200b) || c == 0x202f ||
         c == 0x205f || c == 0x3000 || c == 0xfeff;
}

// The zeros of the other scripts' decimal digits (Unicode 15, Nd, first plane): they are digits of a number,
// though not of a name.
constexpr char16_t kZeros[] = {0x660,  0x6f0,  0x7c0,  0x966,  0x9e6,  0xa66,  0xae6,  0xb66,  0xbe6,
                               0xc66,  0xce6,  0xd66,  0xde6,  0xe50,  0xed0,  0xf20,  0x1040, 0x1090,
                               0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
                               0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10};

bool is_wide_digit(char32_t c) {
  return std::any_of(std::begin(kZeros), std::end(kZeros),
                     [c](char16_t zero) { return c >= zero && c < zero + 10u; });
}

constexpr std::string_view kTimeUnits[] = {"m",           "min",          "minute",       "minutes",
                                           "s",           "sec",          "second",       "seconds",
                                           "d",           "day",          "days",         "h",
                                           "hr",          "hrs",          "hour",         "hours",
                                           "ms",          "milli",        "millis",       "millisec",
                                           "millisecond", "milliseconds", "micro",        "micros",
                                           "microsec",    "microsecond",  "microseconds", "nano",
                                           "nanos",       "nanosec",      "nanosecond",   "nanoseconds",
                                           "tick",        "ticks"};

// The literal that `word(...)` is.
Tok typed_literal(Tok word) {
  switch (word) {
    case Tok::kLong:
    case Tok::kInt64:
      return Tok::kLongLiteral;
    case Tok::kInt:
    case Tok::kInt32:
      return Tok::kIntLiteral;
    case Tok::kReal:
    case Tok::kDouble:
      return Tok::kRealLiteral;
    case Tok::kDecimal:
      return Tok::kDecimalLiteral;
    case Tok::kBool:
      return Tok::kBooleanLiteral;
    case Tok::kDateTime:
    case Tok::kDate:
      return Tok::kDateTimeLiteral;
    case Tok::kTime:
    case Tok::kTimespan:
      return Tok::kTimespanLiteral;
    case Tok::kGuid:
      return Tok::kGuidLiteral;
    default:
      return Tok::kEndOfText;
  }
}

bool is_boolean(std::string_view word) {
  return word == "true" || word == "True" || word == "TRUE" || word == "false" || word == "False" ||
         word == "FALSE";
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { lexed_.tokens.reserve(text.size() / 4 + 8); }

  Lexed run();

 private:
  // What stands at `at`, or NUL behind the end.
  char peek(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  bool matches(std::size_t at, std::string_view what) const { return text_.substr(at).starts_with(what); }
  std::size_t line_break(std::size_t at) const;  // its length in bytes at `at`, else 0
  std::size_t line_end(std::size_t at) const;
  std::size_t next_line(std::size_t at) const;
  std::size_t skip_blanks(std::size_t at) const;
  std::size_t skip(std::size_t at, std::uint8_t classes) const;
  std::size_t digits_end(std::size_t at) const;
  bool word_follows(std::size_t at) const { return is(peek(at), kWord); }

  void emit(Tok kind, std::size_t length);
  void error(std::size_t at, std::string message);
  void punctuation_or_bad();
  void symbol();
  bool emit_keyword(Tok kind, std::size_t length);
  void word();
  void number();
  bool guid();
  std::size_t real_end(std::size_t at) const;  // at's own value where there is none, as for the next three
  std::size_t timespan_end(std::size_t at) const;
  std::size_t long_end(std::size_t at) const;
  std::size_t exponent_end(std::size_t at) const;
  bool string_follows(std::size_t at) const;
  void string();
  std::size_t string_end(std::size_t at, char quote);
  std::size_t verbatim_end(std::size_t at, char quote);
  std::size_t escape_end(std::size_t at) const;

  std::string_view text_;
  std::size_t at_ = 0;
  bool glued_ = false;
  Lexed lexed_;
};

std::size_t Lexer::line_break(std::size_t at) const {
  const char c = peek(at);
  if (c == '\r') return peek(at + 1) == '\n' ? 2 : 1;
  if (c == '\n') return 1;
  return c == '\xe2' && (matches(at, "\xe2\x80\xa8") || matches(at, "\xe2\x80\xa9")) ? 3 : 0;
}

std::size_t Lexer::line_end(std::size_t at) const {
  while (at < text_.size() && line_break(at) == 0) ++at;
  return at;
}

std::size_t Lexer::next_line(std::size_t at) const {
  const std::size_t end = line_end(at);
  return end + line_break(end);
}

std::size_t Lexer::skip_blanks(std::size_t at) const {
  while (at < text_.size()) {
    if (is(text_[at], kBlank)) {
      ++at;
    } else if (text_[at] == '/' && peek(at + 1) == '/') {
      at = next_line(at);
    } else if (static_cast<unsigned char>(text_[at]) >= 0x80) {
      std::size_t after = at;
      if (!is_wide_blank(next_code_point(text_, after))) return at;
      at = after;
    } else {
      return at;
    }
  }
  return at;
}

std::size_t Lexer::skip(std::size_t at, std::uint8_t classes) const {
  while (at < text_.size() && is(text_[at], classes)) ++at;
  return at;
}

std::size_t Lexer::digits_end(std::size_t at) const {
  for (;;) {
    at = skip(at, kDigit);
    if (static_cast<unsigned char>(peek(at)) < 0x80) return at;
    std::size_t after = at;
    if (!is_wide_digit(next_code_point(text_, after))) return at;
    at = after;
  }
}

void Lexer::emit(Tok kind, std::size_t length) {
  lexed_.tokens.push_back(
      {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(length), kind, glued_});
  at_ += length;
}

void Lexer::error(std::size_t at, std::string message) {
  if (lexed_.errors.size() < kMaxLexErrors)
    lexed_.errors.push_back({static_cast<std::uint32_t>(at), std::move(message)});
}

Lexed Lexer::run() {
  for (;;) {
    const std::size_t start = skip_blanks(at_);
    glued_ = start == at_;
    at_ = start;
    if (at_ >= text_.size()) break;
    const char c = text_[at_];
    if (is(c, kLetter | kUnderscore) || c == '$') {
      word();
    } else if (is(c, kDigit) || digits_end(at_) > at_) {
      number();
    } else {
      symbol();
    }
  }
  emit(Tok::kEndOfText, 0);
  return std::move(lexed_);
}

void Lexer::symbol() {
  const char c = text_[at_], next = peek(at_ + 1);
  const auto either = [&](char second, Tok two, Tok one) { next == second ? emit(two, 2) : emit(one, 1); };
  switch (c) {
    case '(':
      return emit(Tok::kOpenParen, 1);
    case ')':
      return emit(Tok::kCloseParen, 1);
    case '[':
      return emit(Tok::kOpenBracket, 1);
    case ']':
      return emit(Tok::kCloseBracket, 1);
    case '{':
      return emit(Tok::kOpenBrace, 1);
    case '}':
      return emit(Tok::kCloseBrace, 1);
    case '|':
      return emit(Tok::kBar, 1);
    case '+':
      return emit(Tok::kPlus, 1);
    case '-':
      return emit(Tok::kMinus, 1);
    case '*':
      return emit(Tok::kAsterisk, 1);
    case '/':
      return emit(Tok::kSlash, 1);
    case '%':
      return emit(Tok::kPercent, 1);
    case ':':
      return emit(Tok::kColon, 1);
    case ';':
      return emit(Tok::kSemicolon, 1);
    case ',':
      return emit(Tok::kComma, 1);
    case '?':
      return emit(Tok::kQuestion, 1);
    case '.':
      return either('.', Tok::kDotDot, Tok::kDot);
    case '>':
      return either('=', Tok::kGreaterThanOrEqual, Tok::kGreaterThan);
    default:
      return punctuation_or_bad();
  }
}

void Lexer::punctuation_or_bad() {
  const char c = text_[at_], next = peek(at_ + 1);
  if (c == '<')
    return next == '='   ? emit(Tok::kLessThanOrEqual, 2)
           : next == '|' ? emit(Tok::kLessThanBar, 2)
           : next == '>' ? emit(Tok::kLessThanGreaterThan, 2)
                         : emit(Tok::kLessThan, 1);
  if (c == '=')
    return next == '='   ? emit(Tok::kEqualEqual, 2)
           : next == '>' ? emit(Tok::kFatArrow, 2)
           : next == '~' ? emit(Tok::kEqualTilde, 2)
                         : emit(Tok::kEqual, 1);
  if (c == '!') {
    if (next == '=') return emit(Tok::kBangEqual, 2);
    if (next == '~') return emit(Tok::kBangTilde, 2);
    const Tok kind = find_long_keyword(text_.substr(at_));
    if (kind != Tok::kIdentifier && emit_keyword(kind, token_text(kind).size())) return;
    if (kind == Tok::kIdentifier && !word_follows(at_ + 1)) return emit(Tok::kBang, 1);
  }
  if (string_follows(at_)) return string();
  if (c == '@') return emit(Tok::kAt, 1);
  if (c == '#') return emit(Tok::kDirective, line_end(at_) - at_);
  std::size_t after = at_;
  next_code_point(text_, after);
  error(at_, "unexpected character '" + std::string(text_.substr(at_, after - at_)) + "'");
  emit(Tok::kBad, after - at_);
}

// Emits the keyword or the literal that it begins, unless a name goes on behind it.
bool Lexer::emit_keyword(Tok kind, std::size_t length) {
  if (peek(at_ + length) == '(' && typed_literal(kind) != Tok::kEndOfText) {
    const std::size_t open = at_ + length;
    std::size_t end = open + 1;
    while (end < text_.size() && text_[end] != ')' && line_break(end) == 0) ++end;
    if (peek(end) == ')') {
      ++end;
    } else {
      error(end, "missing ')' of " + std::string(token_text(kind)) + "(");
    }
    emit(typed_literal(kind), end - at_);
    return true;
  }
  if (word_follows(at_ + length)) return false;
  emit(kind, length);
  return true;
}

void Lexer::word() {
  const std::size_t length = skip(at_ + 1, kWord) - at_;
  const std::string_view rest = text_.substr(at_);
  const std::string_view word = rest.substr(0, length);
  if (is(word[0], kStem)) {
    const char next = peek(at_ + length);
    const bool may_go_on = next == '-' || next == '.' || next == '~' || (next == ' ' && word == "matches");
    const Tok kind = may_go_on ? find_long_keyword(rest) : Tok::kIdentifier;
    if (kind != Tok::kIdentifier) {
      if (!emit_keyword(kind, token_text(kind).size())) emit(Tok::kIdentifier, length);
      return;
    }
  }
  const Tok kind = find_keyword(word);
  if (kind != Tok::kIdentifier) {
    emit_keyword(kind, length);
    return;
  }
  if (is_boolean(word)) return emit(Tok::kBooleanLiteral, length);
  if (is(word[0], kHex) && guid()) return;
  if (length == 1 && (word[0] == 'h' || word[0] == 'H') && string_follows(at_)) return string();
  emit(Tok::kIdentifier, length);
}

void Lexer::number() {
  if (matches(at_, token_text(Tok::k3DChart)) &&
      emit_keyword(Tok::k3DChart, token_text(Tok::k3DChart).size()))
    return;
  if (guid()) return;
  if (const std::size_t end = real_end(at_); end > at_) return emit(Tok::kRealLiteral, end - at_);
  if (const std::size_t end = timespan_end(at_); end > at_) return emit(Tok::kTimespanLiteral, end - at_);
  if (const std::size_t end = long_end(at_); end > at_) return emit(Tok::kLongLiteral, end - at_);
  emit(Tok::kIdentifier, skip(digits_end(at_), kWord) - at_);
}

bool Lexer::guid() {
  constexpr std::size_t kDashes[] = {8, 13, 18, 23};
  constexpr std::size_t kSize = 36;
  if (text_.size() - at_ < kSize) return false;
  for (std::size_t i = 0; i < kSize; ++i) {
    const bool dash = std::find(std::begin(kDashes), std::end(kDashes), i) != std::end(kDashes);
    if (dash ? text_[at_ + i] != '-' : !is(text_[at_ + i], kHex)) return false;
  }
  emit(Tok::kRawGuidLiteral, kSize);
  return true;
}

std::size_t Lexer::exponent_end(std::size_t at) const {
  if (peek(at) != 'e' && peek(at) != 'E') return at;
  const std::size_t digits = at + (peek(at + 1) == '+' || peek(at + 1) == '-' ? 2 : 1);
  const std::size_t end = digits_end(digits);
  return end > digits ? end : at;
}

std::size_t Lexer::real_end(std::size_t at) const {
  const std::size_t digits = digits_end(at);
  std::size_t end = digits;
  // `1..2` is a range, `1...` a number and a range.
  if (peek(end) == '.' && (peek(end + 1) != '.' || peek(end + 2) == '.')) end = digits_end(end + 1);
  end = exponent_end(end);
  return end == digits || word_follows(end) ? at : end;
}

std::size_t Lexer::timespan_end(std::size_t at) const {
  std::size_t end = digits_end(at);
  if (peek(end) == '.' && digits_end(end + 1) > end + 1) end = digits_end(end + 1);
  const std::string_view unit = text_.substr(end, skip(end, kWord) - end);
  return std::find(std::begin(kTimeUnits), std::end(kTimeUnits), unit) == std::end(kTimeUnits)
             ? at
             : end + unit.size();
}

std::size_t Lexer::long_end(std::size_t at) const {
  const bool hex = peek(at) == '0' && (peek(at + 1) == 'x' || peek(at + 1) == 'X') && is(peek(at + 2), kHex);
  const std::size_t end = hex ? skip(at + 2, kHex) : digits_end(at);
  return word_follows(end) ? at : end;
}

// Does a string literal stand here, with its h and its @?
bool Lexer::string_follows(std::size_t at) const {
  if (peek(at) == 'h' || peek(at) == 'H') ++at;
  if (peek(at) == '@') ++at;
  return peek(at) == '\'' || peek(at) == '"' || matches(at, "```") || matches(at, "~~~");
}

void Lexer::string() {
  std::size_t at = at_;
  if (peek(at) == 'h' || peek(at) == 'H') ++at;
  const bool verbatim = peek(at) == '@';
  if (verbatim) ++at;
  const char quote = text_[at];
  if (quote == '\'' || quote == '"')
    return emit(Tok::kStringLiteral,
                (verbatim ? verbatim_end(at + 1, quote) : string_end(at + 1, quote)) - at_);
  const std::string_view fence = text_.substr(at, 3);
  std::size_t end = text_.find(fence, at + 3);
  if (end == std::string_view::npos) {
    end = text_.size();
    error(end, "missing " + std::string(fence));
  } else {
    end += 3;
  }
  emit(Tok::kStringLiteral, end - at_);
}

std::size_t Lexer::string_end(std::size_t at, char quote) {
  while (at < text_.size()) {
    const char c = text_[at];
    if (c == quote) return at + 1;
    if (c == '\\') {
      const std::size_t end = escape_end(at);
      if (end == at) {
        error(at, "not an escape; a \\ in a string is \\\\, or write @ before the quote");
        return at;
      }
      at = end;
    } else if (c == '\r' || c == '\n') {
      break;
    } else {
      ++at;
    }
  }
  error(at, std::string("missing ") + quote);
  return at;
}

// In @"..." a quote is written twice and a backslash is one.
std::size_t Lexer::verbatim_end(std::size_t at, char quote) {
  while (at < text_.size() && text_[at] != '\r' && text_[at] != '\n') {
    if (text_[at] != quote) {
      ++at;
    } else if (peek(at + 1) == quote) {
      at += 2;
    } else {
      return at + 1;
    }
  }
  error(at, std::string("missing ") + quote);
  return at;
}

std::size_t Lexer::escape_end(std::size_t at) const {
  const char c = peek(at + 1);
  if (std::string_view("\\'\"abfnrtv").find(c) != std::string_view::npos) return at + 2;
  const auto octal = [&](std::size_t where) { return peek(where) >= '0' && peek(where) <= '7'; };
  if (octal(at + 1)) {
    if (!octal(at + 2)) return at + 2;
    return octal(at + 3) && c <= '3' ? at + 4 : at + 3;
  }
  const std::size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : c == 'x' ? 2 : 0;
  if (digits == 0) return at;
  for (std::size_t i = 0; i < digits; ++i)
    if (!is(peek(at + 2 + i), kHex)) return at;
  return at + 2 + digits;
}

}  // namespace

Lexed lex(std::string_view text) {
  if (text.size() > kMaxText) return {{Token{}}, {{0, "the text is larger than 1 GiB"}}};
  return Lexer(text).run();
}

}  // namespace micius::kql
