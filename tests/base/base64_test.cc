#include "base/base64.h"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("base64 is RFC 4648's") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {std::string("\x00\xff\xfe\x3f", 4), "AP/+Pw=="}};
  for (const auto& [bytes, text] : rows) {
    CHECK(encode_base64(bytes) == text);
    CHECK(decode_base64(text) == bytes);
    CHECK(decode_base64(text.substr(0, text.find('='))) == bytes);
  }
}

TEST_CASE("what is no base64 is not read") {
  for (const char* text : {"Zm9v\n", "Zm-v", "Zm=v", "Zg===", "\xff"}) CHECK_FALSE(decode_base64(text));
}

}  // namespace micius
