#include "engine/tokenizer/tokenizer.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include <utf8proc.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/tokenizer/byte_level.h"

namespace micius {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 30;
constexpr std::size_t kMaxTokens = std::size_t{1} << 24;

using Vocabulary = std::unordered_map<std::string_view, TokenId>;

bool is_special(TokenKind kind) {
  return kind == TokenKind::kControl || kind == TokenKind::kUnknown || kind == TokenKind::kUserDefined;
}

void check_data(const TokenizerData& data) {
  if (data.model != "gpt2") {
    fail(ErrorCode::kUnsupported, "tokenizer model '{}' is not covered; covered: gpt2 (byte-level BPE)",
         shorten(data.model, 40));
  }
  if (data.tokens.empty() || data.tokens.size() > kMaxTokens)
    fail(ErrorCode::kInvalidData, "tokenizer: {} tokens, expected 1 to {}", data.tokens.size(), kMaxTokens);
  if (!data.kinds.empty() && data.kinds.size() != data.tokens.size()) {
    fail(ErrorCode::kInvalidData, "tokenizer: {} token types for {} tokens", data.kinds.size(),
         data.tokens.size());
  }
  for (const auto& [name, id] : {std::pair("bos", data.bos), std::pair("eos", data.eos)}) {
    if (id && (*id < 0 || static_cast<std::size_t>(*id) >= data.tokens.size()))
      fail(ErrorCode::kInvalidData, "tokenizer: {} id {} of {} tokens", name, *id, data.tokens.size());
  }
}

// Of a text that two tokens have, a normal one goes first, then the last one.
Vocabulary vocabulary_of(const TokenizerData& data, const std::vector<TokenKind>& kinds) {
  Vocabulary vocabulary;
  vocabulary.reserve(data.tokens.size());
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kinds[id] == TokenKind::kNormal)
      vocabulary.insert_or_assign(data.tokens[id], static_cast<TokenId>(id));
  }
  for (std::size_t id = 0; id < data.tokens.size(); ++id)
    vocabulary.try_emplace(data.tokens[id], static_cast<TokenId>(id));
  return vocabulary;
}

Bpe make_bpe(const TokenizerData& data, const Vocabulary& vocabulary) {
  Bpe::ByteTokens byte_tokens;
  for (std::size_t byte = 0; byte < byte_tokens.size(); ++byte) {
    const auto place = vocabulary.find(byte_level_character(static_cast<unsigned char>(byte)));
    byte_tokens[byte] = place == vocabulary.end() ? Bpe::kNoToken : place->second;
  }
  std::vector<Bpe::Merge> merges;
  merges.reserve(data.merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < data.merges.size(); ++rank) {
    const std::string_view merge = data.merges[rank];
    const std::size_t blank = std::min(merge.find(' ', 1), merge.size());
    const std::string_view left = merge.substr(0, blank);
    const std::string_view right = merge.substr(std::min(blank + 1, merge.size()));
    joined.assign(left).append(right);
    const auto l = vocabulary.find(left), r = vocabulary.find(right), j = vocabulary.find(joined);
    if (l == vocabulary.end() || r == vocabulary.end() || j == vocabulary.end()) {
      fail(ErrorCode::kInvalidData, "tokenizer: merge {} ('{}'): its parts and their join must be tokens",
           rank, shorten(to_valid_utf8(merge), 40));
    }
    merges.push_back({l->second, r->second, j->second});
  }
  return Bpe(byte_tokens, merges);
}

std::vector<TokenKind> kinds_of(const TokenizerData& data) {
  return data.kinds.empty() ? std::vector<TokenKind>(data.tokens.size(), TokenKind::kNormal) : data.kinds;
}

// utf8proc orders marks by insertion, in the square of their number: a text with a longer row of them than
// any language writes stays as it is.
bool can_normalise(std::string_view text) {
  constexpr int kMaxMarks = 256;
  int marks = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const bool is_mark =
        c >= 0x300 && utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class != 0;
    marks = is_mark ? marks + 1 : 0;
    if (marks > kMaxMarks) return false;
  }
  return true;
}

std::string nfc(std::string_view text) {
  const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
  if (is_ascii || !can_normalise(text)) return std::string(text);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
      &mapped, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0) return std::string(text);
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

// Where a character that ends behind the text begins; the text's size if its end is whole or ill-formed.
std::size_t unfinished_character(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto lead = static_cast<unsigned char>(text[text.size() - back]);
    if (lead >= 0x80 && lead < 0xC0) continue;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || back >= length) break;
    std::size_t offset = text.size() - back;
    next_code_point(text, offset);
    return offset == text.size() ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace

Tokenizer::Tokenizer(TokenizerData data)
    : pre_((check_data(data), make_pre_tokenizer(data.pre))),
      kinds_(kinds_of(data)),
      bpe_(make_bpe(data, vocabulary_of(data, kinds_))),
      bos_(data.bos),
      eos_(data.eos),
      add_bos_(data.add_bos) {
  bytes_.reserve(data.tokens.size());
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const bool special = is_special(kinds_[i]);
    std::optional<std::string> bytes;
    if (!special) bytes = byte_level_bytes(data.tokens[i]);
    bytes_.push_back(bytes ? *std::move(bytes) : std::move(data.tokens[i]));
    if (special) {
      special_.add(bytes_[i], id,
                   kinds_[i] == TokenKind::kUserDefined ? SpecialTokens::Reach::kUserDefined
                                                        : SpecialTokens::Reach::kAll);
    }
    if (kinds_[i] != TokenKind::kNormal) continue;
    ids.clear();
    if (!pre_.whole_words) bpe_.encode(bytes_[i], ids);
    if (pre_.whole_words || (ids.size() == 1 && ids[0] == id)) words_.insert_or_assign(bytes_[i], id);
  }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, SpecialText special) const {
  if (text.size() > kMaxText)
    fail(ErrorCode::kUsage, "a text of {} bytes is too long to tokenize, the limit is {}", text.size(),
         kMaxText);
  const auto reach =
      special == SpecialText::kRecognised ? SpecialTokens::Reach::kAll : SpecialTokens::Reach::kUserDefined;
  const std::string valid = to_valid_utf8(text);
  const std::string_view view = valid;
  std::vector<TokenId> ids;
  ids.reserve(valid.size() / 4 + 1);
  std::size_t plain = 0;  // start of what is not in `ids` yet
  for (std::size_t i = 0; i < view.size();) {
    const auto match = special_.may_start(view[i]) ? special_.match(view.substr(i), reach) : std::nullopt;
    if (!match) {
      ++i;
      continue;
    }
    encode_plain(view.substr(plain, i - plain), ids);
    ids.push_back(match->id);
    plain = i += match->size;
  }
  encode_plain(view.substr(plain), ids);
  return ids;
}

void Tokenizer::encode_plain(std::string_view text, std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  const std::string normal = pre_.nfc ? nfc(text) : std::string();
  if (pre_.nfc) text = normal;
  const char_class::Characters characters = char_class::take_apart(text);
  std::uint32_t begin = 0;
  for (const std::uint32_t end : split_pieces(pre_, characters)) {
    const std::uint32_t from = characters.offset[begin];
    const std::string_view piece = text.substr(from, characters.offset[end] - from);
    begin = end;
    const auto word = words_.find(piece);
    if (word != words_.end()) {
      ids.push_back(word->second);
    } else {
      bpe_.encode(piece, ids);
    }
  }
}

void Tokenizer::check(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= bytes_.size())
    fail(ErrorCode::kUsage, "token id {} is not in the vocabulary of {}", id, bytes_.size());
}

std::string Tokenizer::decode(std::span<const TokenId> ids, SpecialText special) const {
  std::string out;
  for (const TokenId id : ids) {
    const std::string_view part = bytes(id);
    if (special == SpecialText::kRecognised || !is_control(id)) out += part;
  }
  return out;
}

std::string_view Tokenizer::bytes(TokenId id) const {
  check(id);
  return bytes_[static_cast<std::size_t>(id)];
}

bool Tokenizer::is_control(TokenId id) const {
  check(id);
  return kinds_[static_cast<std::size_t>(id)] == TokenKind::kControl;
}

std::optional<TokenId> Tokenizer::find_special(std::string_view token) const {
  const auto match = special_.match(token, SpecialTokens::Reach::kAll);
  return match && match->size == token.size() ? std::optional(match->id) : std::nullopt;
}

std::string StreamDecoder::push(TokenId id) {
  pending_ += tokenizer_->decode({&id, 1}, special_);
  const std::size_t end = unfinished_character(pending_);
  std::string text = to_valid_utf8(std::string_view(pending_).substr(0, end));
  pending_.erase(0, end);
  return text;
}

std::string StreamDecoder::finish() { return to_valid_utf8(std::exchange(pending_, {})); }

}  // namespace micius
