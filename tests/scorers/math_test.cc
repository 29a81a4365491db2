// MATH's text rules and values, by cases: what upstream's Python gives, where it is upstream's.
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/boxed.h"
#include "base/files.h"
#include "base/json.h"
#include "scorers/latex_value.h"
#include "scorers/math_text.h"
#include "source_tree.h"

namespace micius {
namespace {

std::size_t for_each_case(const std::string& file, const std::function<void(const Json&)>& check) {
  std::size_t cases = 0;
  for_each_line(read_file(source_tree() / "tests/scorers" / file),
                [&](std::string_view line, std::size_t number) {
                  const Json json = parse_json(line, fmt::format("{}:{}", file, number));
                  INFO(file << ":" << number << " " << line);
                  check(json);
                  ++cases;
                });
  return cases;
}

}  // namespace

TEST_CASE("texts of MATH, by cases") {
  const MinervaText minerva;
  const std::map<std::string, std::function<std::optional<std::string>(const std::string&)>> functions = {
      {"answer", [&](const std::string& text) { return minerva.answer(text); }},
      {"normal_form", [&](const std::string& text) { return minerva.normal_form(text); }},
      {"last_boxed", [](const std::string& text) { return last_boxed_only_string(text); }},
      {"remove_boxed", [](const std::string& text) { return remove_boxed(text); }},
      {"between_dollars", [](const std::string& text) { return std::string(between_dollars(text)); }},
      {"strip_string", [](const std::string& text) { return strip_string(text); }}};
  const std::size_t cases = for_each_case("math_text.jsonl", [&](const Json& json) {
    const auto out = functions.at(json.at("function"))(json.at("in"));
    CHECK((out ? Json(*out) : Json()) == json.at("out"));
  });
  CHECK(cases > 80);
}

TEST_CASE("values in LaTeX, by cases") {
  const std::size_t cases = for_each_case("latex_value.jsonl", [](const Json& json) {
    const std::string a = json.at("a"), b = json.at("b");
    CHECK(same_value(a, b) == json.at("same").get<bool>());
    CHECK(same_value(b, a) == json.at("same").get<bool>());
  });
  CHECK(cases > 80);
}

TEST_CASE("no answer keeps MATH's rules busy") {
  const auto start = std::chrono::steady_clock::now();
  const MinervaText minerva;
  for (const std::string part :
       {" ", "a ", "$", "\\boxed{", "{", "(", "\\frac", "\\text{", "{,}", "1,", "-", "\\sin ", "x^", "|",
        "\\begin{pmatrix}", "Final Answer: The final answer is", "\xff", "!"}) {
    std::string text;
    while (text.size() < Pattern::kMostBytes) text += part;
    minerva.normal_form(text);
    minerva.answer(text);
    strip_string(text);
    last_boxed_only_string(text);
    CHECK_FALSE(same_value(text, text));  // too long to be read
    same_value(text.substr(0, 1000), text.substr(0, 999));
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

}  // namespace micius
