#include "base/json.h"

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {
namespace {

std::string message_of(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a JSON error names line and column") {
  CHECK_THAT(message_of([] { parse_json("{\n \"a\": x}", "t.json"); }),
             Catch::StartsWith("t.json:2: column 7: not valid JSON"));
  CHECK_THAT(message_of([] { parse_json(std::string(600, '['), "t.json"); }),
             Catch::Contains("nested deeper than 512"));
}

TEST_CASE("fields name themselves and their neighbours in errors") {
  const Json json = {{"targets", 3}, {"input", "x"}};
  const JsonFields fields(json, "t.jsonl:4");
  CHECK(fields.string("input") == "x");
  CHECK(message_of([&] { (void)fields.string("target"); }) ==
        "t.jsonl:4: field 'target' is missing (is it 'targets'?)");
  CHECK(message_of([&] { (void)fields.string("targets"); }) ==
        "t.jsonl:4: field 'targets' must be a string, found number");
  CHECK(message_of([&] {
          fields.only({"input", "target"});
        }) == "t.jsonl:4: unknown field 'targets' (did you mean 'target'?)");
}

TEST_CASE("JSON keeps the order of keys and refuses nothing that is not UTF-8") {
  CHECK(dump_json(parse_json(R"({"b":1,"a":[1.0,true,null]})", "t")) == R"({"b":1,"a":[1.0,true,null]})");
  CHECK(dump_json(Json("\xFF")) == "\"\xEF\xBF\xBD\"");
}

TEST_CASE("a dotted path finds its value") {
  const Json row = parse_json(R"({"a": {"b": [1, {"c": "x"}]}, "a.b": 2, "n": null})", "test");
  CHECK(*find_json(row, "a.b") == 2);
  CHECK(*find_json(row, "a.b.1.c") == "x");
  CHECK(find_json(row, "n")->is_null());
  for (const char* path : {"", "a.c", "a.b.2", "a.b.x", "a.b.1.c.d", "b", "."})
    CHECK(find_json(row, path) == nullptr);
}

TEST_CASE("the line of a key in JSON text") {
  const std::string text = R"({
  "a": {"x": "}, \"b\": {", "y": [
    {"b": 1}]},
  "b": {
    "a": 1,
    "\u0063": 2
  }
})";
  CHECK(json_line(text, {"a"}) == 2);
  CHECK(json_line(text, {"a", "y"}) == 2);
  CHECK(json_line(text, {"b"}) == 4);
  CHECK(json_line(text, {"b", "a"}) == 5);
  CHECK(json_line(text, {"b", "c"}) == 6);
  CHECK(json_line(text, {"b", "missing"}) == 4);
  CHECK(json_line(text, {"missing"}) == 1);
  CHECK(json_line("[1]", {"a"}) == 1);
}

TEST_CASE("a list of very many objects is read in time by its length") {
  std::string text = "[";
  for (int i = 0; i < 1'000'000; ++i) text += "{},";
  CHECK(parse_json(text + "{}]", "t").size() == 1'000'001);
}

TEST_CASE("an object of very many keys is refused") {
  const auto object = [](int keys) {
    std::string text = "[{\"a\": {";
    for (int i = 0; i < keys; ++i) text += fmt::format("{}\"{}\":1", i == 0 ? "" : ",", i % 100);
    return text + "}}, {\"b\": 1}]";
  };
  CHECK_NOTHROW(parse_json(object(50'000), "f"));  // the same hundred keys again and again: quick
  CHECK_THROWS_WITH(parse_json(object(50'001), "f"), "f: a JSON object of more than 50000 keys");
}

}  // namespace micius
