// Patterns as Python's re reads them; the expected values are CPython's.
#include "scorers/pattern.h"

#include <ctime>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {
namespace {

std::vector<std::string> all(const std::string& pattern, const std::string& text) {
  std::vector<std::string> found;
  Pattern(pattern, "test").for_each(text, [&](const PatternMatch& match) {
    found.emplace_back(match.groups[0]);
    return true;
  });
  return found;
}

std::string sub(const std::string& pattern, const std::string& replacement, const std::string& text) {
  return Pattern(pattern, "test").replace_all(text, replacement);
}

}  // namespace

TEST_CASE("patterns find what Python's finditer finds") {
  using Found = std::vector<std::string>;
  CHECK(all("b*", "abbc") == Found{"", "bb", "", ""});
  CHECK(all("", "a\u00e9") == Found{"", "", ""});
  CHECK(all("a|", "aab") == Found{"a", "a", "", ""});
  CHECK(all("\\d+", "1 \u0663\u0664 x") == Found{"1", "\u0663\u0664"});
  CHECK(all("\\w+", "\u00e9t\u00e9 _1") == Found{"\u00e9t\u00e9", "_1"});
  CHECK(all(".+", "a\r\nb\u2028c") == Found{"a\r", "b\u2028c"});
  CHECK(all("\\.$", "5.\n") == Found{"."});
  CHECK(all("\\.$", "5.\n\n") == Found{});
  CHECK(all("(?<=is )(?P<x>.)", "is a is b") == Found{"a", "b"});
  CHECK(all("\\bI\\b", "I\u00e9 I") == Found{"I"});
}

TEST_CASE("patterns replace as Python's sub does") {
  CHECK(sub("(?s).*#### ", "", "a\nb #### 1 #### 2") == "2");
  CHECK(sub("(.*?)(\\$)(.*?)(\\$)(.*)", "$\\3$", "so $4$ and $5$") == "$4$");
  CHECK(sub("(frac)([^{])(.)", "frac{\\2}{\\3}", "\\frac12") == "\\frac{1}{2}");
  CHECK(sub("(a)|(b)", "[\\1\\2\\9]", "ab") == "[a][b]");
  CHECK(sub("x*", "-", "abxd") == "-a-b--d-");
  CHECK(sub("\\.$", "", "5.\n") == "5\n");
  CHECK(sub("(?s).*#### ", "", "#### " + std::string(500'000, 'x')).size() == 500'000);
}

TEST_CASE("a wrong pattern names its place") {
  CHECK_THROWS_WITH(Pattern("(a", "task 'x'"),
                    Catch::StartsWith("task 'x': pattern '(a' is wrong at byte 2"));
  CHECK_THROWS_AS(Pattern("\\C", "x"), Error);
  CHECK_THROWS_AS(Pattern("\xff", "x"), Error);
  CHECK(all(escape_pattern("a.b*(c) $\n\u00e9"), "a.b*(c) $\n\u00e9").size() == 1);
}

TEST_CASE("text that is not UTF-8 is given up") {
  const Pattern any(".", "test");
  std::size_t found = 0;
  for (const std::string text : {"\xff", "a\xc3", "a\xed\xa0\x80"})
    CHECK_FALSE(any.for_each(text, [&](const PatternMatch&) { return ++found > 0; }));
  CHECK(found == 0);
  CHECK(any.replace_all("a\xff", "b") == "a\xff");
}

TEST_CASE("no text keeps a pattern busy") {
  const std::size_t most = Pattern::kMostBytes;
  const auto repeated = [&](std::string_view part) {
    std::string text;
    while (text.size() < most) text += part;
    return text;
  };
  const std::string a(most, 'a');
  for (const std::string pattern :
       {"(a+)+b", "(a|aa)+$", "(.*)*x", "(?=(a+))a*b\\1", "a*[bc]", "#### (\\-?[0-9\\.\\,]+)",
        "(-?[$0-9.,]{2,})|(-?[0-9]+)", "(?s).*#### ", "(?<=the answer is )(.*)(?=.)",
        "answer is \\(?([ABCDEFGHIJ])\\)?", "the answer is(.*?). I hope", ".*[aA]nswer:\\s*([A-J])",
        "\\b[A-J]\\b", "(\\text\\{)(.*?)(\\})"}) {
    const Pattern hostile(pattern, "test");
    for (const std::string& text :
         {repeated(" "), a, repeated("A 1,$ "), repeated("the answer is"), a + "\xc3"}) {
      INFO(pattern << " on " << text.substr(0, 20));
      const std::clock_t start = std::clock();  // of this process: others may be busy
      std::size_t found = 0;
      hostile.for_each(text, [&](const PatternMatch&) { return ++found < 1'000'000; });
      CHECK(std::clock() - start < 10 * CLOCKS_PER_SEC);
    }
  }
}

}  // namespace micius
