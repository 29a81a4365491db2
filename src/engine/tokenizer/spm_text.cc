#include "engine/tokenizer/spm_text.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

// With runs of blanks as one. `at_start`: as if a blank stood before the text.
std::string merge_blanks(std::string_view text, bool at_start) {
  std::string out;
  out.reserve(text.size());
  bool after_blank = at_start;
  for (const char c : text) {
    if (c != ' ' || !after_blank) out.push_back(c);
    after_blank = c == ' ';
  }
  return out;
}

}  // namespace

std::string with_spm_blanks(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out += kSpmBlank;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string without_spm_blanks(std::string_view text) {
  return replace_all(std::string(text), kSpmBlank, " ");
}

unsigned char spm_byte(std::string_view token, std::size_t id) {
  unsigned value = 0;
  const char* end = token.data() + token.size();
  if (token.size() == 6 && token.starts_with("<0x") && token.back() == '>') {
    const auto [stop, error] = std::from_chars(token.data() + 3, end - 1, value, 16);
    if (error == std::errc() && stop == end - 1) return static_cast<unsigned char>(value);
  }
  fail(ErrorCode::kInvalidData, "tokenizer: token {} is a byte and must be like <0x0A>, not '{}'", id,
       shorten(to_valid_utf8(token), 40));
}

std::vector<std::string> spm_token_bytes(const TokenizerData& data) {
  std::vector<std::string> bytes;
  bytes.reserve(data.tokens.size());
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    const std::string& token = data.tokens[id];
    switch (kind_of(data, id)) {
      case TokenKind::kByte:
        bytes.emplace_back(1, static_cast<char>(spm_byte(token, id)));
        break;
      case TokenKind::kControl:
      case TokenKind::kUnknown:
        bytes.push_back(token);
        break;
      default:
        bytes.push_back(without_spm_blanks(token));
    }
  }
  return bytes;
}

std::vector<TokenId> spm_byte_tokens(const TokenizerData& data) {
  std::vector<TokenId> tokens(256, kNoToken);
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kind_of(data, id) == TokenKind::kByte)
      tokens[spm_byte(data.tokens[id], id)] = static_cast<TokenId>(id);
  }
  if (std::find(tokens.begin(), tokens.end(), kNoToken) != tokens.end()) tokens.clear();
  return tokens;
}

SpmText::SpmText(const TokenizerData& data)
    : charsmap_(data.charsmap),
      maps_(!data.charsmap.empty()),
      blanks_(data.blanks),
      prefix_(data.prefix),
      prefix_before_blank_(data.prefix_before_blank) {}

std::string SpmText::mapped(std::string_view part) const {
  if (!maps_) return std::string(part);
  std::string out;
  out.reserve(part.size());
  for (std::size_t i = 0; i < part.size();) {
    if (const auto match = charsmap_.match(part.substr(i))) {
      out += match->replacement;
      i += match->size;
    } else {
      const std::size_t begin = i;
      next_code_point(part, i);
      out += part.substr(begin, i - begin);
    }
  }
  return out;
}

std::string SpmText::prepare(std::string_view part, TextModel::Before before) const {
  std::string text = mapped(part);
  if (blanks_ != Blanks::kKept) text = merge_blanks(text, blanks_ == Blanks::kTrimmed);
  if (text.empty()) return text;
  const bool starts_blank = text.front() == ' ' || text.starts_with(kSpmBlank);
  const bool prefix = takes_prefix(prefix_, before) && (prefix_before_blank_ || !starts_blank);
  std::string out = with_spm_blanks(prefix ? " " + text : text);
  while (blanks_ == Blanks::kTrimmed && out.ends_with(kSpmBlank)) out.resize(out.size() - kSpmBlank.size());
  return out;
}

}  // namespace micius
