#include "engine/chat/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <utf8proc.h>

#include "base/text.h"

namespace micius::jinja {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_part(char32_t c) {
  const int category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return c == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

bool is_blank_only(std::string_view text) { return !text.empty() && strip(text).empty(); }

// Python's universal newlines.
std::string with_lf(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
      continue;
    }
    text += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : text_(std::move(source)) {
    if (!text_.empty() && text_.back() == '\n') text_.pop_back();
  }

  std::vector<Token> run() {
    while (i_ < text_.size()) data();
    add(Token::Kind::kEnd, "", i_);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail_at(std::size_t place, std::string message) {
    throw ReadFailure{{FailureKind::kSyntax, std::move(message), {}}, position(place)};
  }

  // Places rise from call to call except for errors, so counting goes on from the last one.
  Position position(std::size_t place) {
    if (place < counted_) counted_ = 0, line_ = 1, line_start_ = 0;
    for (; counted_ < place && counted_ < text_.size(); ++counted_) {
      if (text_[counted_] == '\n') ++line_, line_start_ = counted_ + 1;
    }
    return {line_, static_cast<int>(place - line_start_) + 1};
  }

  void add(Token::Kind kind, std::string text, std::size_t place, Value value = {}) {
    tokens_.push_back({kind, std::move(text), std::move(value), position(place)});
  }

  bool starts(std::size_t place, std::string_view what) const {
    return std::string_view(text_).substr(std::min(place, text_.size()), what.size()) == what;
  }

  std::size_t skip_blanks(std::size_t place) const {
    while (place < text_.size()) {
      std::size_t next = place;
      if (!is_unicode_space(next_code_point(text_, next))) break;
      place = next;
    }
    return place;
  }

  // Text up to the next tag, then the tag.
  void data() {
    const std::size_t begin = i_;
    std::size_t tag = text_.find('{', begin);
    while (tag != std::string::npos && !is_tag(tag)) tag = text_.find('{', tag + 1);
    if (tag == std::string::npos) {
      add(Token::Kind::kData, text_.substr(begin), begin);
      i_ = text_.size();
      return;
    }
    const char kind = text_[tag + 1];
    const char sign = tag + 2 < text_.size() ? text_[tag + 2] : '\0';
    const bool has_sign = sign == '-' || sign == '+';
    emit_data(begin, tag, has_sign ? sign : '\0', kind != '{');
    i_ = tag + (has_sign ? 3 : 2);
    if (kind == '#') {
      comment(tag);
    } else if (kind == '{') {
      add(Token::Kind::kPrintBegin, "{{", tag);
      code("}}", Token::Kind::kPrintEnd);
    } else if (!raw(tag)) {
      add(Token::Kind::kBlockBegin, "{%", tag);
      code("%}", Token::Kind::kBlockEnd);
    }
  }

  bool is_tag(std::size_t place) const {
    return starts(place, "{{") || starts(place, "{%") || starts(place, "{#");
  }

  // `sign` is that of the tag behind the text; without one, the blanks between a line's start and a block or
  // comment go (lstrip_blocks).
  void emit_data(std::size_t begin, std::size_t end, char sign, bool may_strip_line) {
    std::string_view data = std::string_view(text_).substr(begin, end - begin);
    if (sign == '-') {
      data = strip_right(data);
    } else if (sign != '+' && may_strip_line) {
      const std::size_t newline = data.rfind('\n');
      const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
      if ((line > 0 || at_line_start_) && is_blank_only(data.substr(line))) data = data.substr(0, line);
    }
    if (!data.empty()) add(Token::Kind::kData, std::string(data), begin);
  }

  // Behind a tag's end mark at `end`: '-' eats all blanks, '+' none, and without a sign a block or comment
  // eats one newline (trim_blocks).
  void after_tag(char sign, std::size_t end, bool trims_newline) {
    i_ = end;
    if (sign == '-') i_ = skip_blanks(i_);
    if (sign == '\0' && trims_newline && starts(i_, "\n")) ++i_;
    at_line_start_ = i_ > 0 && text_[i_ - 1] == '\n';
  }

  void comment(std::size_t tag) {
    const std::size_t close = text_.find("#}", i_);
    if (close == std::string::npos) fail_at(tag, "Missing end of comment tag");
    const char before = close > i_ ? text_[close - 1] : '\0';
    after_tag(before == '-' || before == '+' ? before : '\0', close + 2, true);
  }

  // {% raw %} ... {% endraw %}
  bool raw(std::size_t tag) {
    std::size_t place = skip_blanks(i_);
    if (!starts(place, "raw")) return false;
    place = skip_blanks(place + 3);
    const bool strips = starts(place, "-%}");
    if (!strips && !starts(place, "%}")) return false;
    i_ = strips ? skip_blanks(place + 3) : place + 2;
    const std::size_t begin = i_;
    at_line_start_ = begin > 0 && text_[begin - 1] == '\n';
    for (std::size_t open = text_.find("{%", begin); open != std::string::npos;
         open = text_.find("{%", open + 2)) {
      std::size_t name = open + 2;
      const char sign =
          name < text_.size() && (text_[name] == '-' || text_[name] == '+') ? text_[name++] : '\0';
      name = skip_blanks(name);
      if (!starts(name, "endraw")) continue;
      name = skip_blanks(name + 6);
      const char end_sign = starts(name, "-%}") ? '-' : starts(name, "+%}") ? '+' : '\0';
      if (end_sign == '\0' && !starts(name, "%}")) continue;
      emit_data(begin, open, sign, true);
      after_tag(end_sign, name + (end_sign == '\0' ? 2 : 3), true);
      return true;
    }
    fail_at(tag, "Missing end of raw directive");
  }

  // The inside of {{ }} or {% %} and its end.
  void code(std::string_view end, Token::Kind end_kind) {
    std::string open;  // brackets that wait for their partner, as the closing ones
    const std::size_t first = tokens_.size();
    while (true) {
      i_ = skip_blanks(i_);
      if (i_ >= text_.size()) return;  // the parser says what is missing
      if (open.empty()) {
        const char sign =
            text_[i_] == '-' || (text_[i_] == '+' && end_kind == Token::Kind::kBlockEnd) ? text_[i_] : '\0';
        const std::size_t mark = i_ + (sign == '\0' ? 0 : 1);
        if (starts(mark, end)) {
          add(end_kind, std::string(end), i_);
          after_tag(sign, mark + 2, end_kind == Token::Kind::kBlockEnd);
          return;
        }
      }
      if (tokens_.size() - first > kMaxTagTokens) {
        throw ReadFailure{
            {FailureKind::kLimit, fmt::format("a tag of more than {} tokens", kMaxTagTokens), {}},
            position(i_)};
      }
      token(open);
    }
  }

  std::size_t name_end(std::size_t place) const {
    for (std::size_t i = place; i < text_.size(); place = i) {
      if (!is_name_part(next_code_point(text_, i))) break;
    }
    return place;
  }

  void token(std::string& open) {
    const char c = text_[i_];
    const std::size_t begin = i_;
    if (is_digit(c)) {
      number();
    } else if (const std::size_t end = name_end(begin); end > begin) {
      i_ = end;
      add(Token::Kind::kName, text_.substr(begin, end - begin), begin);
    } else if (c == '\'' || c == '"') {
      string_literal(c);
    } else {
      operator_token(open);
    }
  }

  void operator_token(std::string& open) {
    static constexpr std::array<std::string_view, 6> kLong = {"//", "**", "==", "!=", ">=", "<="};
    const std::size_t begin = i_;
    std::string op(1, text_[i_]);
    for (const std::string_view candidate : kLong) {
      if (starts(i_, candidate)) op = candidate;
    }
    if (op.size() == 1 && std::string_view("+-/*%~[](){}><=.:|,;").find(op[0]) == std::string_view::npos)
      fail_at(begin,
              fmt::format("unexpected char {}", text_repr(shorten(std::string_view(text_).substr(i_), 1))));
    static constexpr std::string_view kOpening = "([{", kClosing = ")]}";
    if (const std::size_t place = kOpening.find(op); place != std::string_view::npos) {
      open += kClosing[place];
    } else if (kClosing.find(op) != std::string_view::npos) {
      if (open.empty()) fail_at(begin, fmt::format("unexpected '{}'", op));
      if (open.back() != op[0])
        fail_at(begin, fmt::format("unexpected '{}', expected '{}'", op, open.back()));
      open.pop_back();
    }
    i_ += op.size();
    add(Token::Kind::kOperator, op, begin);
  }

  // Digits of `base` with single underscores between them, from `place`; returns the end.
  std::size_t digits(std::size_t place, int base, std::string& out) const {
    const auto is_one = [&](std::size_t at) {
      if (at >= text_.size()) return false;
      const char c = text_[at];
      const int value = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : 99;
      return value < base;
    };
    while (is_one(place) || (place < text_.size() && text_[place] == '_' && is_one(place + 1))) {
      if (text_[place] != '_') out += text_[place];
      ++place;
    }
    return place;
  }

  void number() {
    const std::size_t begin = i_;
    std::string written;
    int base = 10;
    if (text_[i_] == '0' && i_ + 1 < text_.size()) {
      const char letter = static_cast<char>(text_[i_ + 1] | 0x20);
      base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    }
    i_ = digits(base == 10 ? i_ : i_ + 2, base, written);
    bool is_float = false;
    std::string part;
    const bool after_dot = begin > 0 && text_[begin - 1] == '.';
    if (base == 10 && !after_dot && starts(i_, ".")) {
      const std::size_t end = digits(i_ + 1, 10, part);
      if (end > i_ + 1) {
        written += "." + part;
        i_ = end;
        is_float = true;
      }
    }
    if (base == 10 && !after_dot && i_ < text_.size() && (text_[i_] | 0x20) == 'e') {
      const bool sign = starts(i_ + 1, "+") || starts(i_ + 1, "-");
      const std::size_t exponent = i_ + (sign ? 2 : 1);
      part.clear();
      const std::size_t end = digits(exponent, 10, part);
      if (end > exponent) {
        written += "e" + text_.substr(i_ + 1, sign ? 1 : 0) + part;
        i_ = end;
        is_float = true;
      }
    }
    is_float ? add_float(written, begin) : add_integer(written, base, begin);
  }

  void add_float(const std::string& written, std::size_t begin) {
    add(Token::Kind::kFloat, written, begin, Value(std::strtod(written.c_str(), nullptr)));
  }

  void add_integer(const std::string& written, int base, std::size_t begin) {
    std::int64_t value = 0;
    const auto result = std::from_chars(written.data(), written.data() + written.size(), value, base);
    if (written.empty()) fail_at(begin, "a number without digits");
    if (result.ec != std::errc()) {
      throw ReadFailure{{FailureKind::kUnsupported, "an integer of more than 64 bits", {}}, position(begin)};
    }
    add(Token::Kind::kInteger, written, begin, Value(value));
  }

  void string_literal(char quote) {
    const std::size_t begin = i_;
    std::string out;
    for (++i_; i_ < text_.size() && text_[i_] != quote;) {
      if (text_[i_] == '\\') {
        if (++i_ >= text_.size()) break;
        escape(out);
      } else {
        out += text_[i_++];
      }
    }
    if (i_ >= text_.size())
      fail_at(begin, fmt::format("unexpected char {}", text_repr(std::string(1, quote))));
    ++i_;
    add(Token::Kind::kText, std::move(out), begin);
  }

  // Behind a backslash: Python's escapes.
  void escape(std::string& out) {
    static constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
    const char c = text_[i_];
    if (const std::size_t place = kFrom.find(c); place != std::string_view::npos) {
      out += kTo[place];
      ++i_;
    } else if (c == '\n') {
      ++i_;
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      for (int n = 0; n < 3 && i_ < text_.size() && text_[i_] >= '0' && text_[i_] <= '7'; ++n)
        value = value * 8 + static_cast<char32_t>(text_[i_++] - '0');
      append_utf8(out, value);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      hex_escape(c == 'x' ? 2 : c == 'u' ? 4 : 8, out);
    } else if (c == 'N') {
      throw ReadFailure{{FailureKind::kUnsupported, "the escape \\N{...}", {}}, position(i_)};
    } else {
      out += '\\';
    }
  }

  void hex_escape(std::size_t size, std::string& out) {
    std::uint32_t value = 0;
    const char* first = text_.data() + i_ + 1;
    const char* last = first + std::min(size, text_.size() - i_ - 1);
    const auto result = std::from_chars(first, last, value, 16);
    if (result.ptr != first + size || value > 0x10FFFF) fail_at(i_, "a truncated \\x, \\u or \\U escape");
    const bool surrogate = value >= 0xD800 && value < 0xE000;
    append_utf8(out, surrogate ? 0xFFFD : static_cast<char32_t>(value));
    i_ += size + 1;
  }

  std::string text_;
  std::size_t i_ = 0;
  bool at_line_start_ = true;  // the text that comes next begins a line
  std::size_t counted_ = 0, line_start_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(with_lf(to_valid_utf8(source))).run(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kData:
      return "template data / text";
    case Token::Kind::kPrintBegin:
      return "begin of print statement";
    case Token::Kind::kPrintEnd:
      return "end of print statement";
    case Token::Kind::kBlockBegin:
      return "begin of statement block";
    case Token::Kind::kBlockEnd:
      return "end of statement block";
    case Token::Kind::kText:
      return "string";
    case Token::Kind::kInteger:
      return "integer";
    case Token::Kind::kFloat:
      return "float";
    case Token::Kind::kEnd:
      return "end of template";
    case Token::Kind::kName:
    case Token::Kind::kOperator:
      break;
  }
  return token.text;
}

}  // namespace micius::jinja
