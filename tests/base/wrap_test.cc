#include "base/wrap.h"

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("words wrap at the width") {
  CHECK(wrap("one two three", 7, 2) == "one two\n  three");
  CHECK(wrap("one http://a.example/longer two", 10, 2) == "one\n  http://a.example/longer\n  two");
  CHECK(wrap("", 7, 2).empty());
}

}  // namespace micius
