#include "engine/tokenizer/spm_bpe.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kFirst = 0x10000;

using Pieces = std::unordered_map<std::string, TokenId>;

// By text with U+2581 for blanks. `all`: also what is no normal piece, behind those.
Pieces pieces_of(const TokenizerData& data, bool all) {
  Pieces pieces;
  pieces.reserve(data.tokens.size());
  for (const bool normal : {true, false}) {
    if (!normal && !all) break;
    for (std::size_t id = 0; id < data.tokens.size(); ++id) {
      if ((kind_of(data, id) == TokenKind::kNormal) == normal)
        pieces.try_emplace(with_spm_blanks(data.tokens[id]), static_cast<TokenId>(id));
    }
  }
  return pieces;
}

// Is there no piece with a blank behind another character?
bool has_words_apart(const TokenizerData& data) {
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kind_of(data, id) != TokenKind::kNormal) continue;
    const std::string piece = with_spm_blanks(data.tokens[id]);
    std::size_t begin = 0;
    while (piece.compare(begin, kSpmBlank.size(), kSpmBlank) == 0) begin += kSpmBlank.size();
    if (piece.find(kSpmBlank, begin) != std::string::npos) return false;
  }
  return true;
}

// Ranks of scores: the best one is 0, equal ones are equal.
class Ranks {
 public:
  explicit Ranks(std::vector<float> scores) : scores_(std::move(scores)) {
    std::sort(scores_.begin(), scores_.end(), std::greater<>());
    scores_.erase(std::unique(scores_.begin(), scores_.end()), scores_.end());
  }
  std::uint32_t of(float score) const {
    const auto place = std::lower_bound(scores_.begin(), scores_.end(), score, std::greater<>());
    return static_cast<std::uint32_t>(place - scores_.begin());
  }

 private:
  std::vector<float> scores_;
};

}  // namespace

SpmBpe::Symbols::Symbols(const TokenizerData& data)
    : size_(static_cast<TokenId>(data.tokens.size())), first_(kFirst, kNoToken) {
  for (const auto& [piece, id] : pieces_of(data, !data.merges.empty())) {
    std::size_t end = 0;
    if (piece.empty()) continue;
    const char32_t c = next_code_point(piece, end);
    if (end == piece.size()) place(c) = id;
  }
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (kind_of(data, id) != TokenKind::kNormal) continue;
    for (const char32_t c : decode_utf8(with_spm_blanks(data.tokens[id]))) {
      TokenId& symbol = place(c);
      if (symbol != kNoToken) continue;
      symbol = size_ + static_cast<TokenId>(tokenless_.size());
      tokenless_.push_back(c);
    }
  }
}

TokenId& SpmBpe::Symbols::place(char32_t c) {
  return c < kFirst ? first_[c] : others_.try_emplace(c, kNoToken).first->second;
}

TokenId SpmBpe::Symbols::of(char32_t c) const {
  if (c < kFirst) return first_[c];
  const auto other = others_.find(c);
  return other == others_.end() ? kNoToken : other->second;
}

std::vector<Bpe::Merge> SpmBpe::listed_merges(const TokenizerData& data, const Symbols& symbols) {
  const Pieces pieces = pieces_of(data, true);
  const auto symbol = [&](const std::string& text) {
    std::size_t end = 0;
    if (const auto piece = pieces.find(text); piece != pieces.end()) return piece->second;
    const TokenId one = text.empty() ? kNoToken : symbols.of(next_code_point(text, end));
    return end == text.size() ? one : kNoToken;
  };
  std::vector<Bpe::Merge> merges;
  merges.reserve(data.merges.size());
  for (std::size_t rank = 0; rank < data.merges.size(); ++rank) {
    const MergeParts parts = split_merge(data.merges[rank]);
    const std::string left(parts.left), right(parts.right);
    const TokenId l = symbol(left), r = symbol(right), joined = symbol(left + right);
    if (l == kNoToken || r == kNoToken || joined == kNoToken) {
      fail(ErrorCode::kInvalidData, "tokenizer: merge {} ('{}'): its parts and their join must be tokens",
           rank, shorten(to_valid_utf8(data.merges[rank]), 40));
    }
    merges.push_back({l, r, joined, static_cast<std::uint32_t>(rank)});
  }
  return merges;
}

// Each way to make a piece of two others; ways to the same piece are equally good.
std::vector<Bpe::Merge> SpmBpe::scored_merges(const TokenizerData& data, const Symbols& symbols) {
  const Ranks ranks(data.scores);
  const Pieces pieces = pieces_of(data, false);
  const auto symbol = [&](const std::string& text) {
    std::size_t end = 0;
    const char32_t c = next_code_point(text, end);
    if (end == text.size()) return symbols.of(c);
    const auto piece = pieces.find(text);
    return piece == pieces.end() ? kNoToken : piece->second;
  };
  std::vector<Bpe::Merge> merges;
  for (const auto& [piece, id] : pieces) {
    std::size_t cut = 0;
    if (!piece.empty()) next_code_point(piece, cut);
    while (cut < piece.size()) {
      const TokenId left = symbol(piece.substr(0, cut));
      const TokenId right = left == kNoToken ? kNoToken : symbol(piece.substr(cut));
      if (right != kNoToken)
        merges.push_back({left, right, id, ranks.of(data.scores[static_cast<std::size_t>(id)])});
      next_code_point(piece, cut);
    }
  }
  return merges;
}

// One part on its way to ids.
class SpmBpe::Writer {
 public:
  Writer(const SpmBpe& model, std::vector<TokenId>& ids) : model_(model), ids_(ids) {}

  void token(TokenId id) {
    flush();
    push(id);
  }

  void character(char32_t c) {
    const TokenId symbol = model_.symbols_.of(c);
    if (symbol != kNoToken) {
      symbols_.push_back(symbol);
    } else {
      flush();
      unknown(c);
    }
  }

  void flush() {
    joined_.clear();
    if (!symbols_.empty()) model_.bpe_.encode(symbols_, joined_);
    symbols_.clear();
    for (const TokenId id : joined_) {
      if (model_.symbols_.is_token(id)) {
        push(id);
      } else {
        unknown(model_.symbols_.character(id));
      }
    }
  }

 private:
  void push(TokenId id) {
    ids_.push_back(id);
    after_unknown_ = false;
  }

  void unknown(char32_t c) {
    if (!model_.byte_tokens_.empty()) {
      std::string bytes;
      append_utf8(bytes, c);
      for (const char byte : bytes) push(model_.byte_tokens_[static_cast<unsigned char>(byte)]);
    } else if (model_.unknown_ && !after_unknown_) {
      ids_.push_back(*model_.unknown_);
      after_unknown_ = true;
    }
  }

  const SpmBpe& model_;
  std::vector<TokenId>& ids_;
  std::vector<TokenId> symbols_, joined_;
  bool after_unknown_ = false;
};

SpmBpe::SpmBpe(const TokenizerData& data)
    : TextModel(spm_token_bytes(data)),
      text_(data),
      byte_tokens_(spm_byte_tokens(data)),
      unknown_(data.unknown),
      symbols_(data),
      bpe_(data.merges.empty() ? scored_merges(data, symbols_) : listed_merges(data, symbols_)),
      apart_(has_words_apart(data)) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    if (kind_of(data, i) != TokenKind::kNormal) continue;
    std::string piece = with_spm_blanks(data.tokens[i]);
    ids.clear();
    Writer out(*this, ids);
    encode_word(piece, out);
    out.flush();
    if (ids.size() == 1 && ids[0] == static_cast<TokenId>(i)) whole_.emplace(std::move(piece), ids[0]);
  }
}

void SpmBpe::encode(std::string_view part, Before before, std::vector<TokenId>& ids) const {
  const std::string text = text_.prepare(part, before);
  const std::string_view view = text;
  Writer out(*this, ids);
  for (std::size_t begin = 0; begin < view.size();) {
    std::size_t end = begin;
    while (view.substr(end, kSpmBlank.size()) == kSpmBlank) end += kSpmBlank.size();
    end = apart_ ? std::min(view.find(kSpmBlank, end), view.size()) : view.size();
    encode_word(view.substr(begin, end - begin), out);
    out.flush();
    begin = end;
  }
}

void SpmBpe::encode_word(std::string_view word, Writer& out) const {
  if (const auto whole = whole_.find(word); whole != whole_.end()) return out.token(whole->second);
  for (std::size_t i = 0; i < word.size();) out.character(next_code_point(word, i));
}

}  // namespace micius
