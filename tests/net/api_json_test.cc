#include "net/api_json.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/base64.h"
#include "base/files.h"
#include "source_tree.h"

namespace micius {

TEST_CASE("what a server may put into a body is read, mended or refused as the guards say") {
  std::size_t cases = 0;
  for_each_line(read_file(source_tree() / "tests/net/bodies.jsonl"), [&](std::string_view line, std::size_t) {
    const Json row = Json::parse(line);
    INFO(row.at("name"));
    const std::string body = row.contains("base64")
                                 ? decode_base64(row.at("base64").get<std::string>()).value()
                                 : row.at("body").get<std::string>();
    BodyMarks marks;
    const std::optional<Json> json = parse_body(body, marks);
    CHECK(json.has_value() == !row.value("refused", false));
    if (json) {
      CHECK(*json == row.at("json"));
      CHECK(marks.had_twin_keys == row.value("twin_keys", false));
      CHECK(marks.had_invalid_utf8 == row.value("invalid_utf8", false));
    }
    ++cases;
  });
  CHECK(cases == 30);
}

}  // namespace micius
