#include <catch2/catch.hpp>

#include "base/text.h"
#include "reports/columns_internal.h"
#include "reports/layout_internal.h"

namespace micius {

TEST_CASE("numbers stand one under the other at the decimal point") {
  const auto lines = lay_out({{"x", Align::kLeft, {"a", "bb", "c"}},
                              {"value", Align::kDecimal, {"3.5 %", "100.0 %", "-"}},
                              {"95 % interval", Align::kPair, {"2.2 .. 15.6", "99.0 .. 100.0", "-"}}},
                             80, 2);
  CHECK(lines == std::vector<std::string>{"x     value  95 % interval",  //
                                          "a     3.5 %   2.2 ..  15.6",  //
                                          "bb  100.0 %  99.0 .. 100.0",  //
                                          "c         -              -"});
}

TEST_CASE("a narrow table loses columns from the right, then shortens names") {
  const std::vector<Column> columns = {{"name", Align::kLeft, {"a name of some length"}},
                                       {"n", Align::kRight, {"12"}},
                                       {"time", Align::kRight, {"1 s"}}};
  CHECK(lay_out(columns, 28, 2)[1] == "a name of some length  12");
  CHECK(lay_out(columns, 20, 2)[1] == "a name of som...  12");
}

TEST_CASE("words wrap at the width") {
  CHECK(wrap("one two three", 7, 2) == "one two\n  three");
  CHECK(wrap("", 7, 2).empty());
}

TEST_CASE("hostile text is made visible") {
  CHECK(visible_line("a\x1b[31m\nb\tc\r") == "a\u241b[31m b c\u240d");
  CHECK(visible_text("a\nb\x7f") == "a\nb\u2421");
  CHECK(visible_text("\xff\u202e\u009b") == "\ufffd\ufffd\ufffd");
  CHECK(visible_text("\u4f60\u597d") == "\u4f60\u597d");
}

}  // namespace micius
