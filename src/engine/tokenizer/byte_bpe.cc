#include "engine/tokenizer/byte_bpe.h"

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

using Vocabulary = std::unordered_map<std::string_view, TokenId>;

// Of a text that two tokens have, a normal one goes first, then the last one.
Vocabulary vocabulary_of(const TokenizerData& data) {
  Vocabulary vocabulary;
  vocabulary.reserve(data.tokens.size());
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kind_of(data, id) == TokenKind::kNormal)
      vocabulary.insert_or_assign(data.tokens[id], static_cast<TokenId>(id));
  }
  for (std::size_t id = 0; id < data.tokens.size(); ++id)
    vocabulary.try_emplace(data.tokens[id], static_cast<TokenId>(id));
  return vocabulary;
}

std::array<TokenId, 256> byte_tokens_of(const Vocabulary& vocabulary) {
  std::array<TokenId, 256> tokens{};
  for (std::size_t byte = 0; byte < tokens.size(); ++byte) {
    const auto place = vocabulary.find(byte_level_character(static_cast<unsigned char>(byte)));
    tokens[byte] = place == vocabulary.end() ? kNoToken : place->second;
  }
  return tokens;
}

Bpe make_bpe(const TokenizerData& data, const Vocabulary& vocabulary) {
  std::vector<Bpe::Merge> merges;
  merges.reserve(data.merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < data.merges.size(); ++rank) {
    const MergeParts parts = split_merge(data.merges[rank]);
    joined.assign(parts.left).append(parts.right);
    const auto l = vocabulary.find(parts.left), r = vocabulary.find(parts.right), j = vocabulary.find(joined);
    if (l == vocabulary.end() || r == vocabulary.end() || j == vocabulary.end()) {
      fail(ErrorCode::kInvalidData, "tokenizer: merge {} ('{}'): its parts and their join must be tokens",
           rank, shorten(to_valid_utf8(data.merges[rank]), 40));
    }
    merges.push_back({l->second, r->second, j->second, static_cast<std::uint32_t>(rank)});
  }
  return Bpe(merges);
}

std::vector<std::string> bytes_of(const TokenizerData& data) {
  std::vector<std::string> bytes;
  bytes.reserve(data.tokens.size());
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    const TokenKind kind = kind_of(data, id);
    std::optional<std::string> plain;
    if (kind == TokenKind::kNormal || kind == TokenKind::kUnused || kind == TokenKind::kByte)
      plain = byte_level_bytes(data.tokens[id]);
    bytes.push_back(plain ? *std::move(plain) : data.tokens[id]);
  }
  return bytes;
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

}  // namespace

ByteBpe::ByteBpe(const TokenizerData& data) : ByteBpe(data, vocabulary_of(data)) {}

ByteBpe::ByteBpe(const TokenizerData& data, const Vocabulary& vocabulary)
    : TextModel(bytes_of(data)),
      pre_(data.steps ? *data.steps : make_pre_tokenizer(data.pre)),
      prefix_(data.prefix),
      prefix_before_blank_(data.prefix_before_blank),
      byte_tokens_(byte_tokens_of(vocabulary)),
      bpe_(make_bpe(data, vocabulary)) {
  words_.reserve(data.tokens.size());
  std::vector<TokenId> symbols, ids;
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    if (kind_of(data, i) != TokenKind::kNormal) continue;
    const auto id = static_cast<TokenId>(i);
    const std::string_view bytes = token_bytes()[i];
    ids.clear();
    if (!pre_.whole_words) encode_piece(bytes, symbols, ids);
    if (pre_.whole_words || (ids.size() == 1 && ids[0] == id)) words_.insert_or_assign(bytes, id);
  }
}

void ByteBpe::encode(std::string_view part, Before before, std::vector<TokenId>& ids) const {
  if (part.empty()) return;
  std::string own;
  if (takes_prefix(prefix_, before) && (prefix_before_blank_ || part.front() != ' ')) {
    own = " " + std::string(part);
    part = own;
  }
  if (pre_.nfc) {
    own = nfc(part);
    part = own;
  }
  const char_class::Characters characters = char_class::take_apart(part);
  std::vector<TokenId> symbols;
  std::uint32_t begin = 0;
  for (const std::uint32_t end : split_pieces(pre_, characters)) {
    const std::uint32_t from = characters.offset[begin];
    const std::string_view piece = part.substr(from, characters.offset[end] - from);
    begin = end;
    const auto word = words_.find(piece);
    if (word != words_.end()) {
      ids.push_back(word->second);
    } else {
      encode_piece(piece, symbols, ids);
    }
  }
}

// `symbols` is room that is used again.
void ByteBpe::encode_piece(std::string_view piece, std::vector<TokenId>& symbols,
                           std::vector<TokenId>& ids) const {
  symbols.clear();
  for (const char byte : piece) {
    const TokenId id = byte_tokens_[static_cast<unsigned char>(byte)];
    if (id != kNoToken) symbols.push_back(id);
  }
  bpe_.encode(symbols, ids);
}

}  // namespace micius
