// Text: UTF-8, blanks, splitting, nearest names. Offsets are bytes, lengths are code points where it says so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// Decodes one code point at `text[offset]` and moves offset behind it. A maximal ill-formed part gives
// U+FFFD, as Python and Rust do (Unicode 15, section 3.9). offset must be inside the text.
char32_t next_code_point(std::string_view text, std::size_t& offset);
void append_utf8(std::string& text, char32_t code_point);
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);
bool is_valid_utf8(std::string_view text);
std::string to_valid_utf8(std::string_view text);  // ill-formed parts become U+FFFD
std::size_t code_points(std::string_view text);    // how many
// The first `limit` code points, with "..." if something was left out.
std::string shorten(std::string_view text, std::size_t limit);

// Safe to show: ill-formed UTF-8 becomes U+FFFD, control characters but LF and tab their pictures (ESC is
// U+241B), characters that turn the direction of text U+FFFD. No text moves the cursor or hides another.
std::string visible_text(std::string_view text);
std::string visible_line(std::string_view text);  // the same with LF and tab as blanks

// The 29 code points that Python's str.strip() removes.
bool is_unicode_space(char32_t code_point);
std::string_view strip(std::string_view text);
std::string_view strip_right(std::string_view text);
std::string_view strip_left(std::string_view text);

std::string lower_ascii(std::string_view text);
std::string lower_unicode(std::string_view text);
std::string upper_unicode(std::string_view text);
std::string capitalize(std::string_view text);  // Python's str.capitalize(): "hELLO world" is "Hello world"
std::string nfkc(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::vector<std::string_view> split_words(std::string_view text);  // at runs of ASCII blanks
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// Does `text` match the glob `pattern` (`*`, `?`)?
bool matches_glob(std::string_view pattern, std::string_view text);

// " (did you mean 'exact'?)" with the nearest name, or "" if none is near. `format` has one {}.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names,
                         std::string_view format = "did you mean '{}'?");

}  // namespace micius
