#include "scorers/extract.h"

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "source_tree.h"

namespace micius {
namespace {

Json or_null(const auto& value) { return value ? Json(*value) : Json(nullptr); }

Json read(const std::string& reader, const std::string& text) {
  if (reader == "thinking") return or_null(after_thinking(text));
  if (reader == "fences") return without_fences(text);
  if (reader == "objects") return balanced_objects(text);
  if (reader == "indices") return or_null(read_indices(text));
  REQUIRE(reader == "dcw");
  const auto dcw = read_dcw(text);
  return dcw ? Json{dcw->target, dcw->baseline, dcw->criterion, dcw->workload} : Json(nullptr);
}

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

}  // namespace

TEST_CASE("readers read what the table says") {
  const std::string path = (source_tree() / "tests/scorers/extract.jsonl").string();
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path);
    const std::string text = row.at("text");
    INFO("line " << number << ": " << text);
    CHECK(dump_json(read(row.at("reader"), text)) == dump_json(row.at("want")));
  });
}

TEST_CASE("a hostile megabyte is read in linear time") {
  const std::size_t megabyte = 1 << 20;
  for (const char* part : {"{",
                           "}",
                           "{\"",
                           "{'",
                           "{}",
                           "{x}",
                           "{\"a\":",
                           "[",
                           "{\"a\":[",
                           "{'a': ",
                           "' ",
                           "\"",
                           "\\",
                           "{\\",
                           "1-100 ",
                           "0-99,",
                           "<think>",
                           "</think>",
                           "```\n",
                           "none ",
                           "{\"index\": 1}",
                           "\xff",
                           "\xe2\x80",
                           "{\xe2\x80\x9c",
                           "9",
                           "{a:{",
                           "{\"Design\":",
                           "{\"Design\":{}}",
                           "{'a':'b' , ",
                           "{\n'",
                           "-1-",
                           "    ",
                           "{ '        "}) {
    const std::string text = repeated(part, megabyte);
    INFO("of " << part);
    const auto start = std::chrono::steady_clock::now();
    for (const char* reader : {"thinking", "fences", "indices", "dcw", "objects"})
      CHECK_NOTHROW(read(reader, text));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  }
}

TEST_CASE("a hostile object of many keys is not read") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"" + std::to_string(i) + "\":1,";
  text += "\"Design\":\"A100\"}";
  const auto start = std::chrono::steady_clock::now();
  CHECK(!read_dcw(text));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

}  // namespace micius
