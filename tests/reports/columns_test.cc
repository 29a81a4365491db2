#include <catch2/catch.hpp>

#include "reports/columns_internal.h"

namespace micius {

TEST_CASE("numbers stand one under the other at the decimal point") {
  const auto layout = lay_out({{"x", Align::kLeft, {"a", "bb", "c"}},
                               {"value", Align::kDecimal, {"3.5 %", "100.0 %", "-"}},
                               {"95 % interval", Align::kPair, {"2.2 .. 15.6", "99.0 .. 100.0", "-"}}},
                              80, 2);
  CHECK(layout.lines == std::vector<std::string>{"x     value  95 % interval",  //
                                                 "a     3.5 %   2.2 ..  15.6",  //
                                                 "bb  100.0 %  99.0 .. 100.0",  //
                                                 "c         -              -"});
}

TEST_CASE("a narrow table loses columns from the right, then shortens names") {
  const std::vector<Column> columns = {{"name", Align::kLeft, {"a name of some length"}},
                                       {"n", Align::kRight, {"12"}},
                                       {"time", Align::kRight, {"1 s"}}};
  CHECK(lay_out(columns, 28, 2).lines[1] == "a name of some length  12");
  CHECK(lay_out(columns, 28, 2).left_out == std::vector<std::string>{"time"});
  CHECK(lay_out(columns, 80, 2).left_out.empty());
  CHECK(lay_out(columns, 20, 2).lines[1] == "a name of som...  12");
}

}  // namespace micius
