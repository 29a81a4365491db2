#include "engine/tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "engine/tokenizer/byte_bpe.h"
#include "engine/tokenizer/spm_bpe.h"
#include "engine/tokenizer/unigram.h"
#include "engine/tokenizer/wordpiece.h"

namespace micius {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 30;
constexpr std::size_t kMaxTokens = std::size_t{1} << 24;
constexpr std::size_t kMaxPiece = 512;  // bytes of one; bounds the work at each place of a text
constexpr std::string_view kUnknownText = " \xE2\x81\x87 ";

class NoText final : public TextModel {
 public:
  explicit NoText(const TokenizerData&) : TextModel({}) {}
  void encode(std::string_view, Before, std::vector<TokenId>&) const override {
    fail(ErrorCode::kUnsupported,
         "the model has no tokenizer; give ids, or put its tokenizer.json beside the weights");
  }
};

template <typename Model>
std::unique_ptr<const TextModel> make(const TokenizerData& data) {
  return std::make_unique<Model>(data);
}

struct ModelKind {
  const char* name;
  const char* words;
  std::unique_ptr<const TextModel> (*make)(const TokenizerData&);
};

constexpr std::array<ModelKind, 5> kModels = {{{kNoTokenizer, "ids only", make<NoText>},
                                               {"gpt2", "byte-level BPE", make<ByteBpe>},
                                               {"llama", "SentencePiece BPE", make<SpmBpe>},
                                               {"t5", "unigram", make<Unigram>},
                                               {"bert", "WordPiece", make<WordPieceModel>}}};

bool is_special(TokenKind kind) {
  return kind == TokenKind::kControl || kind == TokenKind::kUnknown || kind == TokenKind::kUserDefined;
}

bool is_spm(const TokenizerData& data) { return data.model == "llama" || data.model == "t5"; }

void check_spm(const TokenizerData& data) {
  const bool needs_scores = data.model == "t5" || data.merges.empty();
  if (needs_scores && data.scores.size() != data.tokens.size()) {
    fail(ErrorCode::kInvalidData, "tokenizer: {} scores for {} tokens", data.scores.size(),
         data.tokens.size());
  }
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (needs_scores && !std::isfinite(data.scores[id]))
      fail(ErrorCode::kInvalidData, "tokenizer: the score of token {} is not a number", id);
    if (data.tokens[id].size() > kMaxPiece) {
      fail(ErrorCode::kInvalidData, "tokenizer: token {} has {} bytes, the limit is {}", id,
           data.tokens[id].size(), kMaxPiece);
    }
  }
}

void check_data(const TokenizerData& data) {
  if (data.model == kNoTokenizer && data.tokens.empty()) return;
  if (data.tokens.empty() || data.tokens.size() > kMaxTokens)
    fail(ErrorCode::kInvalidData, "tokenizer: {} tokens, expected 1 to {}", data.tokens.size(), kMaxTokens);
  if (!data.kinds.empty() && data.kinds.size() != data.tokens.size()) {
    fail(ErrorCode::kInvalidData, "tokenizer: {} token types for {} tokens", data.kinds.size(),
         data.tokens.size());
  }
  const auto check_id = [&](const char* name, TokenId id) {
    if (id < 0 || static_cast<std::size_t>(id) >= data.tokens.size())
      fail(ErrorCode::kInvalidData, "tokenizer: {} id {} of {} tokens", name, id, data.tokens.size());
  };
  if (data.bos) check_id("bos", *data.bos);
  if (data.eos) check_id("eos", *data.eos);
  if (data.unknown) check_id("unknown", *data.unknown);
  for (const TokenId id : data.takes_before) check_id("special", id);
  for (const TokenId id : data.takes_behind) check_id("special", id);
  if (is_spm(data)) check_spm(data);
}

std::unique_ptr<const TextModel> make_model(const TokenizerData& data) {
  for (const ModelKind& kind : kModels) {
    if (data.model != kind.name) continue;
    check_data(data);
    return kind.make(data);
  }
  std::string covered;
  for (const ModelKind& kind : kModels)
    covered += fmt::format("{}{} ({})", covered.empty() ? "" : ", ", kind.name, kind.words);
  fail(ErrorCode::kUnsupported, "tokenizer model '{}' is not covered; covered: {}", shorten(data.model, 40),
       covered);
}

std::vector<bool> flags(const std::vector<TokenId>& ids, std::size_t size) {
  std::vector<bool> flags(ids.empty() ? 0 : size);
  for (const TokenId id : ids) flags[static_cast<std::size_t>(id)] = true;
  return flags;
}

bool has(const std::vector<bool>& flags, TokenId id) {
  return !flags.empty() && flags[static_cast<std::size_t>(id)];
}

bool is_blank(char32_t c) { return c == 0x2581 || (char_class::bits_of(c) & char_class::kSpace) != 0; }

std::size_t skip_blanks(std::string_view text, std::size_t i) {
  while (i < text.size()) {
    std::size_t next = i;
    if (!is_blank(next_code_point(text, next))) break;
    i = next;
  }
  return i;
}

// The end of `text` without the blanks before it.
std::size_t without_blanks(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80) --begin;
    std::size_t next = begin;
    if (!is_blank(next_code_point(text, next))) break;
    end = begin;
  }
  return end;
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

std::vector<std::string> covered_models() {
  std::vector<std::string> names;
  for (const ModelKind& kind : kModels) names.emplace_back(kind.name);
  return names;
}

Tokenizer::Tokenizer(TokenizerData data)
    : model_(make_model(data)),
      takes_before_(flags(data.takes_before, data.tokens.size())),
      takes_behind_(flags(data.takes_behind, data.tokens.size())),
      maps_blanks_(data.model == "llama" && data.charsmap.empty() && data.blanks == Blanks::kKept),
      prefix_(data.prefix),
      cuts_blank_(data.model == "bert" || (is_spm(data) && data.prefix != BlankPrefix::kNone)),
      cuts_blanks_(is_spm(data) && data.blanks == Blanks::kTrimmed),
      bos_(data.bos),
      eos_(data.eos),
      add_bos_(data.add_bos),
      add_eos_(data.add_eos) {
  if (is_spm(data)) plain_unknown_ = data.unknown;
  add_special(data);
  kinds_ = std::move(data.kinds);
}

void Tokenizer::add_special(const TokenizerData& data) {
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    const TokenKind kind = kind_of(data, i);
    if (!is_special(kind)) continue;
    special_.add(
        written(data.tokens[i]), static_cast<TokenId>(i),
        kind == TokenKind::kUserDefined ? SpecialTokens::Reach::kUserDefined : SpecialTokens::Reach::kAll);
  }
}

std::string Tokenizer::written(std::string_view token) const {
  return maps_blanks_ ? with_spm_blanks(token) : std::string(token);
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, SpecialText special) const {
  using Before = TextModel::Before;
  if (text.size() > kMaxText)
    fail(ErrorCode::kUsage, "a text of {} bytes is too long to tokenize, the limit is {}", text.size(),
         kMaxText);
  const bool plain = special == SpecialText::kPlain;
  const auto reach = plain ? SpecialTokens::Reach::kUserDefined : SpecialTokens::Reach::kAll;
  std::string valid = to_valid_utf8(text);
  if (maps_blanks_) valid = with_spm_blanks(valid);
  // SentencePiece puts the blank in front before it looks for user-defined tokens.
  const bool prefixed = plain && maps_blanks_ && prefix_ != BlankPrefix::kNone && !valid.empty();
  if (prefixed) valid.insert(0, kSpmBlank);
  const std::string_view view = valid;
  const Before after_token = prefixed ? Before::kSameText : Before::kSpecialToken;
  Before before = prefixed ? Before::kSameText : Before::kStart;

  std::vector<TokenId> ids;
  ids.reserve(valid.size() / 4 + 1);
  std::size_t begin = 0;  // of what is not in `ids` yet
  for (std::size_t i = 0; i < view.size();) {
    const auto match = special_.may_start(view[i]) ? special_.match(view.substr(i), reach) : std::nullopt;
    if (!match) {
      ++i;
      continue;
    }
    std::string_view part = view.substr(begin, i - begin);
    if (!plain && has(takes_before_, match->id)) part = part.substr(0, without_blanks(part));
    if (!part.empty()) model_->encode(part, before, ids);
    ids.push_back(match->id);
    before = after_token;
    i += match->size;
    if (!plain && has(takes_behind_, match->id)) i = skip_blanks(view, i);
    begin = i;
  }
  if (begin < view.size()) model_->encode(view.substr(begin), before, ids);
  return ids;
}

void Tokenizer::check(TokenId id) const {
  if (size() == 0) return;  // no tokenizer: every id stands for itself
  if (id < 0 || static_cast<std::size_t>(id) >= size())
    fail(ErrorCode::kUsage, "token id {} is not in the vocabulary of {}", id, size());
}

std::string Tokenizer::decode(std::span<const TokenId> ids, SpecialText special) const {
  std::string out;
  bool cuts = cuts_blank_ || cuts_blanks_;
  for (const TokenId id : ids) {
    std::string_view part = text(id, special);
    if (cuts && !part.empty() && (!is_control(id) || id == plain_unknown_)) {
      const bool blank = part.front() == ' ' && id != plain_unknown_;
      if (blank) part.remove_prefix(1);
      cuts = cuts_blanks_ && blank && part.empty();
    }
    out += part;
  }
  return out;
}

std::string_view Tokenizer::text(TokenId id, SpecialText special) const {
  check(id);
  if (size() == 0) return {};
  if (special == SpecialText::kPlain) {
    if (id == plain_unknown_) return kUnknownText;
    if (is_control(id)) return {};
  }
  return model_->token_bytes()[static_cast<std::size_t>(id)];
}

bool Tokenizer::is_control(TokenId id) const {
  check(id);
  return !kinds_.empty() && kinds_[static_cast<std::size_t>(id)] == TokenKind::kControl;
}

std::optional<TokenId> Tokenizer::find_special(std::string_view token) const {
  const std::string as_written = written(token);
  const auto match = special_.match(as_written, SpecialTokens::Reach::kAll);
  return match && match->size == as_written.size() ? std::optional(match->id) : std::nullopt;
}

std::string StreamDecoder::push(TokenId id) {
  pending_ += tokenizer_->text(id, special_);
  const std::size_t end = unfinished_character(pending_);
  std::string text = to_valid_utf8(std::string_view(pending_).substr(0, end));
  pending_.erase(0, end);
  return text;
}

std::string StreamDecoder::finish() { return to_valid_utf8(std::exchange(pending_, {})); }

}  // namespace micius
