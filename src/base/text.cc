#include "base/text.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>

#include <fmt/format.h>
#include <utf8proc.h>

namespace micius {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::size_t kLongestName = 200;  // that did_you_mean looks at

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string map_utf8(std::string_view text, utf8proc_option_t options) {
  std::string valid = to_valid_utf8(text);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                                             static_cast<utf8proc_ssize_t>(valid.size()), &mapped, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0) return valid;
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

bool turns_direction(char32_t c) {
  return c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

char32_t harmless(char32_t c) {
  constexpr char32_t kPictures = 0x2400, kPictureOfDelete = 0x2421;
  if (c < 0x20) return kPictures + c;
  if (c == 0x7F) return kPictureOfDelete;
  if ((c >= 0x80 && c < 0xA0) || turns_direction(c)) return kReplacement;
  return c;
}

std::string map_code_points(std::string_view text, utf8proc_int32_t (*map)(utf8proc_int32_t)) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<utf8proc_int32_t>(next_code_point(text, i));
    append_utf8(out, static_cast<char32_t>(map(c)));
  }
  return out;
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& offset) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(offset++);
  if (first < 0x80) return first;
  int length = 0;
  char32_t value = 0;
  unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte (Unicode table 3-7)
  if (first >= 0xC2 && first <= 0xDF) {
    length = 1, value = first & 0x1F;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 2, value = first & 0x0F;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 3, value = first & 0x07;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return kReplacement;
  }
  for (int i = 0; i < length; ++i) {
    if (offset >= text.size() || byte(offset) < low || byte(offset) > high) return kReplacement;
    value = (value << 6) | (byte(offset++) & 0x3F);
    low = 0x80, high = 0xBF;
  }
  return value;
}

void append_utf8(std::string& text, char32_t c) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F)),
        put(0x80 | (c & 0x3F));
  }
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) out.push_back(next_code_point(text, i));
  return out;
}

std::string encode_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    if (next_code_point(text, i) == kReplacement && text.substr(start, i - start) != "\xEF\xBF\xBD")
      return false;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  return is_valid_utf8(text) ? std::string(text) : encode_utf8(decode_utf8(text));
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) next_code_point(text, i);
  return count;
}

std::string shorten(std::string_view text, std::size_t limit) {
  std::size_t i = 0;
  for (std::size_t n = 0; n < limit && i < text.size(); ++n) next_code_point(text, i);
  return i == text.size() ? std::string(text) : std::string(text.substr(0, i)) + "...";
}

std::string visible_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    append_utf8(result, c == '\n' || c == '\t' ? c : harmless(c));
  }
  return result;
}

std::string visible_line(std::string_view text) {
  std::string result = visible_text(text);
  std::replace(result.begin(), result.end(), '\n', ' ');
  std::replace(result.begin(), result.end(), '\t', ' ');
  return result;
}

bool is_unicode_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::string_view strip_right(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_unicode_space(next_code_point(text, i))) end = i;
  }
  return text.substr(0, end);
}

std::string_view strip_left(std::string_view text) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_unicode_space(next_code_point(text, i))) break;
    start = i;
  }
  return text.substr(start);
}

std::string_view strip(std::string_view text) { return strip_right(strip_left(text)); }

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string lower_unicode(std::string_view text) { return map_code_points(text, utf8proc_tolower); }

std::string upper_unicode(std::string_view text) { return map_code_points(text, utf8proc_toupper); }

std::string capitalize(std::string_view text) {
  if (text.empty()) return {};
  std::size_t rest = 0;
  std::string out;
  const auto first = static_cast<utf8proc_int32_t>(next_code_point(text, rest));
  append_utf8(out, static_cast<char32_t>(utf8proc_totitle(first)));
  return out + lower_unicode(text.substr(rest));
}

std::string nfkc(std::string_view text) {
  return map_utf8(text, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < text.size();) {
    while (i < text.size() && is_ascii_space(text[i])) ++i;
    const std::size_t start = i;
    while (i < text.size() && !is_ascii_space(text[i])) ++i;
    if (i > start) words.push_back(text.substr(start, i - start));
  }
  return words;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  std::size_t at = from.empty() ? std::string::npos : text.find(from);
  if (at == std::string::npos) return text;
  std::string out;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    out.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  return out.append(text, done);
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && pattern[p] == text[t]))) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++, mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1, t = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names,
                         std::string_view format) {
  if (name.size() > kLongestName) return "";  // the search takes time by the product of the lengths
  const std::string wanted = lower_ascii(name);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    if (candidate.size() >= name.size() + best_distance) continue;
    const std::size_t distance = edit_distance(wanted, lower_ascii(candidate));
    if (distance < best_distance) best = candidate, best_distance = distance;
  }
  if (best.empty()) return "";
  return fmt::format(" ({})", fmt::format(fmt::runtime(format), best));
}

}  // namespace micius
