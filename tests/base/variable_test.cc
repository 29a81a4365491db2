#include "base/variable.h"

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("variables are read at the first equals sign") {
  const auto one = read_variable("NAME=a=b");
  REQUIRE(one);
  CHECK(one->name == "NAME");
  CHECK(one->value == "a=b");
  CHECK(read_variable("A=")->value.empty());
  CHECK(read_variable("./x=1")->name == "./x");
  for (const char* text : {"", "NAME", "=x", "="}) CHECK_FALSE(read_variable(text));
}

TEST_CASE("names of variables are what a shell takes") {
  for (const char* name : {"A", "_", "a1", "NCCL_ALGO"}) CHECK(is_variable_name(name));
  for (const char* name : {"", "1a", "a-b", "a.b", "./x", "\xc3\xa4"}) CHECK_FALSE(is_variable_name(name));
}

}  // namespace micius
