#include "base/text.h"

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("ill-formed UTF-8 becomes one U+FFFD a maximal part") {
  CHECK(to_valid_utf8("a\xF0\x9F\x98z") == "a\xEF\xBF\xBDz");
  CHECK(to_valid_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(to_valid_utf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(to_valid_utf8("na\xC3\xAFve") == "na\xC3\xAFve");
}

TEST_CASE("strip removes Unicode blanks at both ends only") {
  CHECK(strip("\xC2\xA0 a b\xE3\x80\x80\n") == "a b");
  CHECK(strip("\xE2\x80\x8B"
              "a") ==
        "\xE2\x80\x8B"
        "a");
  CHECK(strip(" \t\n").empty());
  CHECK(strip_right(" a ") == " a");
}

TEST_CASE("lengths and cuts count code points") {
  CHECK(code_points("na\xC3\xAFve") == 5);
  CHECK(shorten("na\xC3\xAFve", 3) == "na\xC3\xAF...");
  CHECK(shorten("abc", 3) == "abc");
}

TEST_CASE("shown text moves no cursor and turns no direction") {
  CHECK(visible_text("a\x1b[2Jb\r\x7f") == "a\u241b[2Jb\u240d\u2421");
  CHECK(visible_text("\u009b1m\u202eabc\u2066") == "\ufffd1m\ufffdabc\ufffd");
  CHECK(visible_text("na\u00efve\n\tx\xff") == "na\u00efve\n\tx\ufffd");
  CHECK(visible_line("a\n\tb") == "a  b");
}

TEST_CASE("globs") {
  CHECK(matches_glob("mmlu_*", "mmlu_law"));
  CHECK_FALSE(matches_glob("mmlu_*", "mmlu"));
  CHECK(matches_glob("*a?c*", "xxabc"));
  CHECK_FALSE(matches_glob("a", "ab"));
}

TEST_CASE("the nearest name is offered only if it is near") {
  CHECK(did_you_mean("exakt", {"exact", "choice"}) == " (did you mean 'exact'?)");
  CHECK(did_you_mean("fecth", {"list", "fetch"}) == " (did you mean 'fetch'?)");
  CHECK(did_you_mean("zzz", {"exact", "choice"}).empty());
}

TEST_CASE("NFKC and case") {
  CHECK(nfkc("\xEF\xBC\xA1") == "A");
  CHECK(lower_unicode("\xC3\x84H") == "\xC3\xA4h");
}

}  // namespace micius
