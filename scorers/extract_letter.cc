#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "scorers/extract.h"

namespace micius {
namespace {

// Between "answer" and its letter.
constexpr std::array<std::string_view, 11> kFillers = {"is",     "be",     "would",  "should",  "must", "the",
                                                       "option", "choice", "letter", "correct", "here"};
constexpr std::size_t kMostFillers = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0; }
bool is_part_of_word(char c) { return is_letter(c) || is_digit(c) || c == '\'' || c == '_'; }

// What a letter may not have beside it.
bool joins(char c) { return is_part_of_word(c) || c == '-'; }

class Letters {
 public:
  Letters(std::string_view text, std::size_t choices) : text_(text), choices_(choices) {}

  std::optional<std::size_t> read() const {
    if (const auto all = whole()) return all;
    if (const auto told = behind_answer()) return told;
    if (const auto first = at_start()) return first;
    return only_one();
  }

 private:
  std::optional<std::size_t> index_of(char c) const {
    const auto index = static_cast<std::size_t>(c - 'A');
    return c >= 'A' && c <= 'Z' && index < choices_ ? std::optional(index) : std::nullopt;
  }

  std::optional<std::size_t> standing_at(std::size_t i) const {
    if (i > 0 && joins(text_[i - 1])) return std::nullopt;
    if (i + 1 < text_.size() && joins(text_[i + 1])) return std::nullopt;
    return index_of(text_[i]);
  }

  std::optional<std::size_t> whole() const {
    std::string_view text = strip(text_);
    if (text.starts_with("\\boxed")) text.remove_prefix(6);
    char only = 0;
    for (const char c : text) {
      if (!is_part_of_word(c)) continue;
      if (only != 0) return std::nullopt;
      only = c;
    }
    return index_of(only >= 'a' && only <= 'z' ? static_cast<char>(only - 'a' + 'A') : only);
  }

  // The word that begins at or behind `i`, which moves behind it.
  std::string_view next_word(std::size_t& i) const {
    while (i < text_.size() && !is_part_of_word(text_[i])) ++i;
    const std::size_t begin = i;
    while (i < text_.size() && is_part_of_word(text_[i])) ++i;
    return text_.substr(begin, i - begin);
  }

  std::optional<std::size_t> behind_answer() const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < text_.size();) {
      if (lower_ascii(std::string(next_word(i))) != "answer") continue;
      std::size_t at = i;
      for (std::size_t n = 0; n <= kMostFillers; ++n) {
        const std::string_view word = next_word(at);
        if (word.size() == 1) {
          if (const auto letter = standing_at(at - 1)) found = letter;
          break;
        }
        if (std::find(kFillers.begin(), kFillers.end(), lower_ascii(std::string(word))) == kFillers.end())
          break;
      }
    }
    return found;
  }

  std::optional<std::size_t> at_start() const {
    const std::size_t i = text_.find_first_not_of(" \t\r\n*_([{\"'`$#");
    if (i == std::string_view::npos) return std::nullopt;
    const bool ends = i + 1 == text_.size() ||
                      std::string_view(".):,]}*`\"$\r\n").find(text_[i + 1]) != std::string_view::npos;
    return ends ? index_of(text_[i]) : std::nullopt;
  }

  bool is_article(std::size_t i) const {
    if (text_[i] != 'A' && text_[i] != 'I') return false;
    const std::size_t next = text_.find_first_not_of(' ', i + 1);
    return next != i + 1 && next != std::string_view::npos && is_letter(text_[next]);
  }

  std::optional<std::size_t> only_one() const {
    std::optional<std::size_t> only;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const auto letter = standing_at(i);
      if (!letter || is_article(i)) continue;
      if (only && *only != *letter) return std::nullopt;
      only = letter;
    }
    return only;
  }

  std::string_view text_;
  std::size_t choices_;
};

}  // namespace

std::optional<std::size_t> read_letter(std::string_view text, std::size_t choices) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 16;
  return Letters(text.substr(0, kMostBytes), std::min<std::size_t>(choices, 26)).read();
}

}  // namespace micius
