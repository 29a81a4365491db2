#include "engine/chat/unicode_case.h"

#include <algorithm>
#include <iterator>

#include <utf8proc.h>

#include "base/text.h"

namespace micius::jinja {
namespace {

struct Expansion {
  char32_t from;
  std::u32string_view to;
};

// Upper case of more than one code point (Unicode's SpecialCasing), but for the Greek letters with iota below
// from U+1F80 to U+1FAF, which follow a rule.
constexpr Expansion kUpper[] = {{0xDF, U"SS"},
                                {0x149, U"\u02BCN"},
                                {0x1F0, U"J\u030C"},
                                {0x390, U"\u0399\u0308\u0301"},
                                {0x3B0, U"\u03A5\u0308\u0301"},
                                {0x587, U"\u0535\u0552"},
                                {0x1E96, U"H\u0331"},
                                {0x1E97, U"T\u0308"},
                                {0x1E98, U"W\u030A"},
                                {0x1E99, U"Y\u030A"},
                                {0x1E9A, U"A\u02BE"},
                                {0x1F50, U"\u03A5\u0313"},
                                {0x1F52, U"\u03A5\u0313\u0300"},
                                {0x1F54, U"\u03A5\u0313\u0301"},
                                {0x1F56, U"\u03A5\u0313\u0342"},
                                {0x1FB2, U"\u1FBA\u0399"},
                                {0x1FB3, U"\u0391\u0399"},
                                {0x1FB4, U"\u0386\u0399"},
                                {0x1FB6, U"\u0391\u0342"},
                                {0x1FB7, U"\u0391\u0342\u0399"},
                                {0x1FBC, U"\u0391\u0399"},
                                {0x1FC2, U"\u1FCA\u0399"},
                                {0x1FC3, U"\u0397\u0399"},
                                {0x1FC4, U"\u0389\u0399"},
                                {0x1FC6, U"\u0397\u0342"},
                                {0x1FC7, U"\u0397\u0342\u0399"},
                                {0x1FCC, U"\u0397\u0399"},
                                {0x1FD2, U"\u0399\u0308\u0300"},
                                {0x1FD3, U"\u0399\u0308\u0301"},
                                {0x1FD6, U"\u0399\u0342"},
                                {0x1FD7, U"\u0399\u0308\u0342"},
                                {0x1FE2, U"\u03A5\u0308\u0300"},
                                {0x1FE3, U"\u03A5\u0308\u0301"},
                                {0x1FE4, U"\u03A1\u0313"},
                                {0x1FE6, U"\u03A5\u0342"},
                                {0x1FE7, U"\u03A5\u0308\u0342"},
                                {0x1FF2, U"\u1FFA\u0399"},
                                {0x1FF3, U"\u03A9\u0399"},
                                {0x1FF4, U"\u038F\u0399"},
                                {0x1FF6, U"\u03A9\u0342"},
                                {0x1FF7, U"\u03A9\u0342\u0399"},
                                {0x1FFC, U"\u03A9\u0399"},
                                {0xFB00, U"FF"},
                                {0xFB01, U"FI"},
                                {0xFB02, U"FL"},
                                {0xFB03, U"FFI"},
                                {0xFB04, U"FFL"},
                                {0xFB05, U"ST"},
                                {0xFB06, U"ST"},
                                {0xFB13, U"\u0544\u0546"},
                                {0xFB14, U"\u0544\u0535"},
                                {0xFB15, U"\u0544\u053B"},
                                {0xFB16, U"\u054E\u0546"},
                                {0xFB17, U"\u0544\u053D"}};

int category_of(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }
char32_t simple_upper(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
char32_t simple_lower(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}
char32_t simple_title(char32_t c) {
  return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c)));
}

const Expansion* find_expansion(char32_t c) {
  const auto* place = std::lower_bound(std::begin(kUpper), std::end(kUpper), c,
                                       [](const Expansion& e, char32_t code) { return e.from < code; });
  return place != std::end(kUpper) && place->from == c ? place : nullptr;
}

void append_upper(std::u32string& out, char32_t c) {
  if (c >= 0x1F80 && c <= 0x1FAF) {
    const char32_t row = c < 0x1F90 ? 0x1F08 : c < 0x1FA0 ? 0x1F28 : 0x1F68;
    out += {row + (c & 7), U'\u0399'};
  } else if (const Expansion* expansion = find_expansion(c)) {
    out += expansion->to;
  } else {
    out += simple_upper(c);
  }
}

void append_title(std::u32string& out, char32_t c) {
  const Expansion* expansion = find_expansion(c);
  if (expansion == nullptr) {
    out += simple_title(c);
    return;
  }
  out += expansion->to[0];  // a ligature: one capital, the rest lower
  for (const char32_t rest : expansion->to.substr(1)) out += c == 0x149 ? rest : simple_lower(rest);
}

bool is_case_ignorable(char32_t c) {
  if (c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2019) return true;
  const int category = category_of(c);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
         category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_LM ||
         category == UTF8PROC_CATEGORY_SK;
}

// A sigma at the end of a word: something cased before it, nothing cased behind it.
bool is_final_sigma(const std::u32string& text, std::size_t i, bool cased_before) {
  if (!cased_before) return false;
  std::size_t j = i + 1;
  while (j < text.size() && is_case_ignorable(text[j])) ++j;
  return j == text.size() || !is_cased(text[j]);
}

void append_lower(std::u32string& out, const std::u32string& text, std::size_t i, bool cased_before) {
  if (text[i] == 0x130) {
    out += U"i\u0307";
  } else if (text[i] == 0x3A3 && is_final_sigma(text, i, cased_before)) {
    out += U'\u03C2';
  } else {
    out += simple_lower(text[i]);
  }
}

// Lower case, but a title where `starts_word` says so of the characters before.
template <typename StartsWord>
std::string map_case(std::string_view input, StartsWord starts_word) {
  const std::u32string text = decode_utf8(input);
  std::u32string out;
  bool previous_cased = false;  // the character before
  bool cased_before = false;    // the last one before that counts for a sigma
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_word(i, previous_cased)) {
      append_title(out, text[i]);
    } else {
      append_lower(out, text, i, cased_before);
    }
    previous_cased = is_cased(text[i]);
    if (!is_case_ignorable(text[i])) cased_before = previous_cased;
  }
  return encode_utf8(out);
}

}  // namespace

bool is_cased(char32_t c) {
  const int category = category_of(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT || c == 0xAA || c == 0xBA || (c >= 0x2B0 && c <= 0x2B8) ||
         (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9);
}

std::string upper(std::string_view input) {
  std::u32string out;
  for (std::size_t i = 0; i < input.size();) append_upper(out, next_code_point(input, i));
  return encode_utf8(out);
}

std::string lower(std::string_view text) {
  return map_case(text, [](std::size_t, bool) { return false; });
}

std::string title(std::string_view text) {
  return map_case(text, [](std::size_t, bool previous_cased) { return !previous_cased; });
}

std::string capitalize(std::string_view text) {
  return map_case(text, [](std::size_t i, bool) { return i == 0; });
}

bool is_upper(std::string_view text) {
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const int category = category_of(c);
    if (category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT) return false;
    any = any || category == UTF8PROC_CATEGORY_LU;
  }
  return any;
}

bool is_lower(std::string_view text) {
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const int category = category_of(c);
    if (category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT) return false;
    any = any || category == UTF8PROC_CATEGORY_LL;
  }
  return any;
}

}  // namespace micius::jinja
