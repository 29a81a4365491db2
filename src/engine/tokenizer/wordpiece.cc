#include "engine/tokenizer/wordpiece.h"

#include <algorithm>
#include <array>
#include <utility>

#include <utf8proc.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/tokenizer/char_class.h"

namespace micius {
namespace {

constexpr std::size_t kMaxWord = 100;  // characters
constexpr std::size_t kMaxTokens = std::size_t{1} << 22;
constexpr char32_t kReplacement = 0xFFFD;

bool is_blank(char32_t c, char_class::Bits bits) {
  return c == '\t' || c == '\n' || c == '\r' ||
         ((bits & char_class::kSpace) != 0 && (bits & char_class::category(UTF8PROC_CATEGORY_CC)) == 0);
}

// Unassigned code points are none: they stay and make their word unknown.
bool is_removed(char32_t c, char_class::Bits bits) {
  constexpr auto kControl = char_class::category(UTF8PROC_CATEGORY_CC) |
                            char_class::category(UTF8PROC_CATEGORY_CF) |
                            char_class::category(UTF8PROC_CATEGORY_CO);
  return c == kReplacement || (bits & kControl) != 0;
}

// The blocks that the published tokenizer has; it leaves out U+2B820 to U+2B91F.
bool is_cjk(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_punctuation(char32_t c, char_class::Bits bits) {
  const bool ascii =
      (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
  return ascii || (bits & char_class::kPunctuation) != 0;
}

}  // namespace

// The word that is being read. Of one that is too long only the size is kept.
struct WordPiece::Word {
  std::string text;
  std::size_t characters = 0;

  void push(char32_t c) {
    if (++characters <= kMaxWord) append_utf8(text, c);
  }
  void clear() {
    text.clear();
    characters = 0;
  }
};

// One text on its way to ids.
class WordPiece::Run {
 public:
  Run(const WordPiece& tokenizer, std::vector<TokenId>& ids) : tokenizer_(tokenizer), ids_(ids) {}

  void push(char32_t c) {
    const char_class::Bits bits = char_class::bits_of(c);
    if (is_blank(c, bits)) return end_word();
    if (is_removed(c, bits)) return;
    const bool alone = is_cjk(c);
    if (alone) end_word();
    if (c < 0x80) {
      push_letter(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c, bits);
    } else {
      push_decomposed(c);
    }
    if (alone) end_word();
  }

  void end_word() {
    if (word_.characters > 0) tokenizer_.add_word(word_, ids_);
    word_.clear();
  }

 private:
  // Character by character, since the marks that NFD would sort are thrown away.
  void push_decomposed(char32_t c) {
    std::array<utf8proc_int32_t, 32> parts;
    int boundary = 0;
    const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(),
                                                           parts.size(), UTF8PROC_DECOMPOSE, &boundary);
    if (count < 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) return push_lower(c);
    for (utf8proc_ssize_t i = 0; i < count; ++i) push_lower(static_cast<char32_t>(parts[i]));
  }

  void push_lower(char32_t c) {
    if (utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_MN) return;
    c = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    push_letter(c, char_class::bits_of(c));
  }

  void push_letter(char32_t c, char_class::Bits bits) {
    const bool alone = is_punctuation(c, bits);
    if (alone) end_word();
    word_.push(c);
    if (alone) end_word();
  }

  const WordPiece& tokenizer_;
  std::vector<TokenId>& ids_;
  Word word_;
};

namespace {

std::vector<std::string> lines_of(std::string_view vocabulary, const std::string& name) {
  std::vector<std::string> tokens;
  for_each_line(vocabulary, [&](std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number > kMaxTokens) fail(ErrorCode::kInvalidData, "{}: more than {} tokens", name, kMaxTokens);
    tokens.emplace_back(line);
  });
  return tokens;
}

}  // namespace

WordPiece::WordPiece(std::string_view vocabulary, const std::string& name)
    : WordPiece(lines_of(vocabulary, name), name) {}

WordPiece::WordPiece(std::vector<std::string> tokens, const std::string& name) : tokens_(std::move(tokens)) {
  std::unordered_map<std::string_view, std::size_t> lines;
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    if (const auto [twin, is_new] = lines.emplace(tokens_[id], id + 1); !is_new) {
      fail(ErrorCode::kInvalidData, "{}:{}: token '{}' is on line {} too", name, id + 1,
           shorten(to_valid_utf8(tokens_[id]), 40), twin->second);
    }
  }
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    std::string_view piece = tokens_[id];
    const bool later = piece.size() > 2 && piece.starts_with("##");
    if (later) piece.remove_prefix(2);
    (later ? later_ : first_).emplace(piece, static_cast<TokenId>(id));
    longest_ = std::max(longest_, piece.size());
  }
  for (const char* token : {"[PAD]", "[MASK]"}) {
    if (first_.count(token) != 0) control(token, name);
  }
  unk_ = control("[UNK]", name);
  cls_ = control("[CLS]", name);
  sep_ = control("[SEP]", name);
}

TokenId WordPiece::control(std::string_view token, const std::string& name) {
  const auto place = first_.find(token);
  if (place == first_.end()) {
    fail(ErrorCode::kInvalidData, "{}: the token {} is missing; is it the vocabulary of a BERT?", name,
         token);
  }
  control_.add(token, place->second, SpecialTokens::Reach::kAll);
  return place->second;
}

std::vector<TokenId> WordPiece::encode(std::string_view text, std::size_t limit) const {
  std::vector<TokenId> ids;
  Run run(*this, ids);
  for (std::size_t i = 0; i < text.size() && ids.size() < limit;) {
    const auto token = control_.may_start(text[i])
                           ? control_.match(text.substr(i), SpecialTokens::Reach::kAll)
                           : std::nullopt;
    if (token) {
      run.end_word();
      ids.push_back(token->id);
      i += token->size;
    } else {
      run.push(next_code_point(text, i));
    }
  }
  run.end_word();
  ids.resize(std::min(ids.size(), limit));
  return ids;
}

void WordPiece::encode_plain(std::string_view text, std::vector<TokenId>& ids) const {
  Run run(*this, ids);
  for (std::size_t i = 0; i < text.size();) run.push(next_code_point(text, i));
  run.end_word();
}

void WordPiece::add_word(const Word& word, std::vector<TokenId>& ids) const {
  const std::size_t before = ids.size();
  if (word.characters > kMaxWord) {
    ids.push_back(unk_);
    return;
  }
  const std::string_view text = word.text;
  for (std::size_t begin = 0; begin < text.size();) {
    const Pieces& pieces = begin == 0 ? first_ : later_;
    std::size_t size = std::min(longest_, text.size() - begin);
    auto piece = pieces.end();
    while (size > 0 && (piece = pieces.find(text.substr(begin, size))) == pieces.end()) --size;
    if (size == 0) {
      ids.resize(before);
      ids.push_back(unk_);
      return;
    }
    ids.push_back(piece->second);
    begin += size;
  }
}

namespace {

std::vector<std::string> bytes_of(const TokenizerData& data) {
  std::vector<std::string> bytes = data.tokens;
  for (std::size_t id = 0; id < bytes.size(); ++id) {
    if (kind_of(data, id) != TokenKind::kNormal) continue;
    const bool later = bytes[id].size() > 2 && bytes[id].starts_with("##");
    bytes[id] = later ? bytes[id].substr(2) : " " + bytes[id];
  }
  return bytes;
}

}  // namespace

WordPieceModel::WordPieceModel(const TokenizerData& data)
    : TextModel(bytes_of(data)), words_(data.tokens, "tokenizer") {}

}  // namespace micius
