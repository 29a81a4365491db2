#include "kql/parser.h"

#include <algorithm>
#include <ctime>
#include <string>

#include <catch2/catch.hpp>

#include "base/rng.h"
#include "kql/rows.h"
#include "kql/tree_fault.h"
#include "mutate.h"

namespace micius::kql {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string message_of(const Tree& tree) { return tree.error ? tree.error->message : ""; }

// The processor's time, which other programs do not lengthen.
double seconds_of(const std::string& text) {
  const std::clock_t start = std::clock();
  const Tree tree = parse(text);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("texts are accepted or refused as syntax.jsonl says") {
  for_each_row(own_rows("syntax.jsonl"), [](const Json& row) {
    const std::string query = row.at("query");
    const Tree tree = parse(query);
    INFO(query << "\n" << message_of(tree));
    REQUIRE(tree.error.has_value() == row.contains("error"));
    REQUIRE(tree_fault(tree) == "");
    if (!tree.error) return;
    CHECK(tree.error->message == row.at("error"));
    CHECK(tree.error->offset == row.at("offset"));
  });
}

TEST_CASE("the official parser's verdicts, all of them") {
  const auto folder = kql_vectors();
  if (folder.empty()) return;
  std::size_t rows = 0;
  const std::size_t left_out = for_each_row(folder / "syntax.jsonl", [&](const Json& row) {
    const std::string query = row.at("query");
    const Tree tree = parse(query);
    INFO(query << "\n" << message_of(tree));
    CHECK(tree.error.has_value() != row.at("syntax_ok").get<bool>());
    REQUIRE(tree_fault(tree) == "");
    ++rows;
  });
  CHECK(left_out <= 1);
  CHECK(rows + left_out == 5574);
}

TEST_CASE("a keyword is a name where keywords.jsonl says") {
  const auto folder = kql_vectors();
  if (folder.empty()) return;
  const std::vector<std::pair<std::string, std::string>> places = {
      {"column", "T | where W == 1"},
      {"project", "T | project W, x"},
      {"project_last", "T | project x, W"},
      {"extend_name", "T | extend W = 1"},
      {"by", "T | summarize count() by W"},
      {"sort", "T | sort by W"},
      {"table", "W | count"},
      {"let_name", "let W = 1; print 1"},
      {"call", "T | extend x = W(1)"},
      {"member", "T | extend x = a.W"},
      {"join_on", "T | join (U) on W"},
      {"bracketed", "T | where ['W'] == 1"},
  };
  for_each_row(folder / "keywords.jsonl", [&](const Json& row) {
    const std::string word = row.at("word");
    for (const auto& [place, query] : places) {
      if (!row.contains(place)) continue;
      std::string text = query;
      text.replace(text.find('W'), 1, word);
      INFO(place << ": " << text);
      CHECK(parse(text).error.has_value() == (row.at(place) == 0));
    }
  });
}

TEST_CASE("an error has a place, and says what was expected") {
  const std::string text = "T\n| where a ==\n| count";
  const Tree tree = parse(text);
  REQUIRE(tree.error);
  CHECK(tree.error->message == "expected an expression, not '|'");
  const Place place = place_of(text, tree.error->offset);
  CHECK(place.line == 3);
  CHECK(place.column == 1);
}

TEST_CASE("long and deep texts are parsed in linear time on a small stack") {
  constexpr std::size_t kDeep = 10'000;
  const std::string good[] = {
      "print " + repeat("(", kDeep) + "1" + repeat(")", kDeep),
      "print " + repeat("f(", kDeep) + "1" + repeat(")", kDeep),
      "print a" + repeat("[b", kDeep) + repeat("]", kDeep),
      "print dynamic(" + repeat("[", kDeep) + repeat("]", kDeep) + ")",
      "print dynamic(" + repeat("{'a':", kDeep) + "1" + repeat("}", kDeep) + ")",
      "T" + repeat("| join (T", kDeep) + repeat(") on a", kDeep),
      "T | where a in (" + repeat("T | where a in (", kDeep) + "1" + repeat(")", kDeep) + ")",
      "T" + repeat("| fork (take 1", kDeep) + repeat(")", kDeep),
      repeat("let f = () {", kDeep) + "1" + repeat("}; 1", kDeep),
      "T" + repeat("| where a > 1", 100'000),
      "print 1" + repeat(" + 1", 250'000),
      "print a" + repeat(".a", 500'000),
      "T | project a" + repeat(", a", 330'000),
      repeat("let a = 1;", 100'000) + "a",
  };
  for (const std::string& text : good) {
    INFO(text.substr(0, 40));
    CHECK(message_of(parse(text)) == "");
    CHECK(seconds_of(text) < 1);
  }
  const std::string bad[] = {"(",
                             "[",
                             "{",
                             "f(",
                             "a[",
                             "a in (",
                             "T | fork (",
                             "inline_external_table (",
                             "let f = () {",
                             "union (",

                             "['a'",
                             "{a",
                             "-",
                             "a.",
                             "x=",
                             "(a,",
                             "macro-expand e as c (",
                             "dynamic(["};
  for (const std::string& part : bad) {
    const std::string text = repeat(part, (1 << 20) / part.size());
    INFO(part);
    CHECK(parse(text).error.has_value());
    CHECK(seconds_of(text) < 1);
  }
}

// The text is dense: no comments, few blanks.
TEST_CASE("20 MB of text are parsed in a second", "[.slow]") {
  std::string queries;
  for_each_row(own_rows("syntax.jsonl"), [&](const Json& row) {
    const std::string query = row.at("query");
    if (!row.contains("error") && parse(query).tokens.size() > 1 && query[0] != '#' &&
        query.find(';') == std::string::npos)
      queries += query + "\n;\n";
  });
  const std::string text = repeat(queries, 4'000'000 / queries.size());
  REQUIRE(message_of(parse(text)) == "");
  double best = 1e9;
  for (int run = 0; run < 5; ++run) best = std::min(best, seconds_of(text));
  const double speed = static_cast<double>(text.size()) / 1e6 / best;
  WARN(speed << " MB/s");
  CHECK(speed >= 20);
}

TEST_CASE("what is nested too deep is an error, not the end of the program") {
  const std::string text = "print " + repeat("(", kMaxDepth + 1) + "1" + repeat(")", kMaxDepth + 1);
  CHECK(message_of(parse(text)).rfind("nested", 0) == 0);
}

TEST_CASE("broken queries break nothing") {
  Rng rng("kql/broken");
  std::vector<std::string> queries;
  for_each_row(own_rows("syntax.jsonl"), [&](const Json& row) { queries.push_back(row.at("query")); });
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = mutate(queries[rng.below(queries.size())], rng);
    const Tree tree = parse(text);
    REQUIRE(tree_fault(tree) == "");
    if (tree.error) CHECK(tree.error->offset <= text.size());
  }
}

}  // namespace micius::kql
