#include "base/text.h"
#include "kql/lexer.h"

namespace micius::kql {
namespace {

// 16 and more: no digit.
char32_t hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<char32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<char32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<char32_t>(c - 'A' + 10);
  return 16;
}

// Appends the character that the escape at `at` stands for; `at` moves behind it.
void append_escape(std::string_view text, std::size_t& at, std::string& value) {
  constexpr std::string_view kLetters = "abfnrtv", kControls = "\a\b\f\n\r\t\v";
  const char c = at + 1 < text.size() ? text[at + 1] : '\\';
  at += 2;
  if (const std::size_t letter = kLetters.find(c); letter != std::string_view::npos) {
    value += kControls[letter];
    return;
  }
  const bool octal = c >= '0' && c <= '7';
  const std::size_t most = c == 'u' ? 4 : c == 'U' ? 8 : c == 'x' ? 2 : c <= '3' ? 3 : 2;
  if (!octal && c != 'u' && c != 'U' && c != 'x') {
    value += c;
    return;
  }
  if (octal) --at;
  char32_t code = 0;
  const std::size_t start = at;
  for (; at < text.size() && at < start + most && hex_value(text[at]) < 16; ++at) {
    if (octal && text[at] > '7') break;
    code = code * (octal ? 8 : 16) + hex_value(text[at]);
  }
  const bool none = code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
  append_utf8(value, none ? U'\ufffd' : code);
}

}  // namespace

std::string decode_string(std::string_view literal) {
  if (literal.starts_with('h') || literal.starts_with('H')) literal.remove_prefix(1);
  const bool verbatim = literal.starts_with('@');
  if (verbatim) literal.remove_prefix(1);
  if (literal.empty()) return {};
  const char quote = literal[0];
  const std::string_view fence = literal.substr(0, quote == '`' || quote == '~' ? 3 : 1);
  literal.remove_prefix(fence.size());
  if (literal.ends_with(fence)) literal.remove_suffix(fence.size());
  if (fence.size() == 3) return std::string(literal);
  if (verbatim) return replace_all(std::string(literal), std::string(2, quote), std::string(1, quote));
  std::string value;
  for (std::size_t at = 0; at < literal.size();) {
    if (literal[at] == '\\') {
      append_escape(literal, at, value);
    } else {
      value += literal[at++];
    }
  }
  return value;
}

}  // namespace micius::kql
