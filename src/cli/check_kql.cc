#include "cli/check_lines.h"
#include "kql/lexer.h"
#include "kql/names.h"
#include "kql/parser.h"

namespace micius {
namespace {

Json tokens_of(const kql::Tree& tree) {
  Json tokens = Json::array();
  for (std::size_t at = 0; at + 1 < tree.tokens.size(); ++at)
    tokens.push_back({kql::token_name(tree.tokens[at].kind), tree.token_text(at)});
  return tokens;
}

std::string problem_of(const kql::Tree& tree) {
  if (!tree.error) return "";
  const kql::Place place = kql::place_of(tree.text, tree.error->offset);
  return std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + tree.error->message;
}

LineCheck check(const JsonFields& fields, std::string_view line) {
  const std::string query = fields.string("query");
  const kql::Tree tree = kql::parse(query);
  const kql::Names names = kql::names_of(tree);
  Json answer = {{"ok", !tree.error}};
  if (tree.error) {
    answer["offset"] = tree.error->offset;
    answer["error"] = tree.error->message;
  }
  answer["tokens"] = tokens_of(tree);
  answer["clusters"] = names.clusters;
  answer["databases"] = names.databases;
  answer["tables"] = names.tables;
  answer["columns"] = names.columns;
  const std::size_t key = line.find("\"query\"");
  return {std::move(answer), tree.error ? "query " + problem_of(tree) : "",
          key == std::string_view::npos ? 1 : key + 1};
}

}  // namespace

LineChecker kql_checker() { return check; }

std::string kql_problem(std::string_view query) { return problem_of(kql::parse(query)); }

}  // namespace micius
