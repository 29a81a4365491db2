#include "kql/names.h"

#include <map>

#include <catch2/catch.hpp>

#include "kql/parser.h"
#include "kql/rows.h"

namespace micius::kql {
namespace {

std::map<std::string, std::vector<std::string>> fields_of(const Names& names) {
  return {{"clusters", names.clusters},   {"databases", names.databases},
          {"tables", names.tables},       {"columns", names.columns},
          {"lets", names.lets},           {"created_columns", names.created_columns},
          {"functions", names.functions}, {"operators", names.operators}};
}

}  // namespace

TEST_CASE("the names of names.jsonl: a field that is not there is empty") {
  for_each_row(own_rows("names.jsonl"), [](const Json& row) {
    const std::string query = row.at("query");
    INFO(query);
    for (const auto& [field, names] : fields_of(names_of(parse(query)))) {
      INFO(field);
      CHECK(Json(names) == row.value(field, Json::array()));
    }
  });
}

TEST_CASE("the names of the vectors' accepted rows, all of them in their order") {
  const auto folder = kql_vectors();
  if (folder.empty()) return;
  std::size_t rows = 0;
  for_each_row(folder / "syntax.jsonl", [&](const Json& row) {
    if (!row.at("syntax_ok").get<bool>()) return;
    const std::string query = row.at("query");
    INFO(query);
    for (const auto& [field, names] : fields_of(names_of(parse(query)))) {
      INFO(field);
      CHECK(Json(names) == row.at(field));
    }
    ++rows;
  });
  CHECK(rows == 3826);
}

TEST_CASE("the public pairs are accepted, and their tables found") {
  const auto file = data_folder() / "nl2kql" / "pairs.jsonl";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: no " << file.string());
    return;
  }
  std::size_t accepted = 0;
  for_each_row(file, [&](const Json& row) {
    const std::string query = row.value("query", row.value("kql", std::string()));
    const Tree tree = parse(query);
    INFO(query << "\n" << (tree.error ? tree.error->message : ""));
    CHECK_FALSE(tree.error);
    CHECK(Json(names_of(tree).tables) == row.at("tables"));
    ++accepted;
  });
  CHECK(accepted == 537);
}

TEST_CASE("names of a deep tree") {
  std::string text = "print ";
  for (int i = 0; i < 10'000; ++i) text += "f(a.b[";
  text += "c";
  for (int i = 0; i < 10'000; ++i) text += "])";
  const Tree tree = parse(text);
  REQUIRE_FALSE(tree.error);
  CHECK(names_of(tree).columns == std::vector<std::string>{"a", "c"});
}

}  // namespace micius::kql
