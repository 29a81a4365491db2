// Regular expressions with the meaning they have in Python's `re`, for patterns that come from there.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// Of one match. Groups that took no part are empty, as in re.findall.
struct PatternMatch {
  std::size_t begin = 0, end = 0;        // bytes
  std::vector<std::string_view> groups;  // [0]: the whole match
};

// PCRE2 over UTF-8 with Unicode classes: `.` excludes LF only, `$` matches before a final LF as well. Known
// to differ: Python's \s holds U+001C to U+001F too, and its \Z is PCRE2's \z. Safe to share by threads.
//
//   Pattern answer("the answer is (.*)", "task 'bbh', field 'pattern'");
//   answer.replace_all(text, "<\\1>");
class Pattern {
 public:
  static constexpr std::size_t kMostBytes = 64 << 10;

  // Throws Error{kUsage} beginning with `where` for a pattern that is none.
  Pattern(std::string_view pattern, const std::string& where);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  std::size_t groups() const;

  // Matches from left to right that do not overlap, as re.finditer gives them; `fn` returns false to stop.
  // False if the text was given up: a match may take a fixed number of steps from each place where it could
  // begin, and a text that is not UTF-8 has no matches. That is quadratic in the text at worst, so what is
  // behind kMostBytes is not read: a second or two.
  bool for_each(std::string_view text, const std::function<bool(const PatternMatch&)>& fn) const;

  // re.sub: `replacement` may hold \1 to \9. The text as it is where for_each() gives up.
  std::string replace_all(std::string_view text, std::string_view replacement) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

// A pattern that matches exactly this text, as re.escape().
std::string escape_pattern(std::string_view text);

}  // namespace micius
