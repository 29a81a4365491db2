#include <algorithm>
#include <set>

#include "base/error.h"
#include "kql/names.h"
#include "kql/parser.h"
#include "nl2kql.h"

namespace micius::aimicius::nl2kql {
namespace {

constexpr std::size_t kManyOperators = 5;

struct Counts {
  std::size_t operators = 0;
  bool aggregates = false;
  std::set<std::string> tags;
};

Counts count_nodes(const kql::Tree& tree) {
  using kql::NodeKind;
  Counts counts;
  for (const kql::Node& node : tree.nodes) {
    // The operators are a range of the kinds.
    if (node.kind >= NodeKind::kAs && node.kind <= NodeKind::kWhere) ++counts.operators;
    if (node.kind == NodeKind::kSummarize || node.kind == NodeKind::kMakeSeries) counts.aggregates = true;
    if (node.kind == NodeKind::kMakeSeries) counts.tags.insert("series");
    if (node.kind == NodeKind::kJoin || node.kind == NodeKind::kLookup) counts.tags.insert("join");
    if (node.kind == NodeKind::kUnion) counts.tags.insert("union");
    if (node.kind == NodeKind::kLet) counts.tags.insert("let");
  }
  return counts;
}

}  // namespace

Facts facts_of(const std::string& query, const Catalog& catalog, const std::string& where) {
  const kql::Tree tree = kql::parse(query);
  if (tree.error)
    fail(ErrorCode::kInvalidData, "{}: '{}': at byte {}: {}", where, query, tree.error->offset,
         tree.error->message);
  const kql::Names names = kql::names_of(tree);
  Facts facts{names.clusters, names.databases, names.tables, {}, names.created_columns, 1, {}};
  for (const std::string& column : names.columns) {
    if (catalog.has_column(column)) facts.columns.push_back(column);
  }
  const Counts counts = count_nodes(tree);
  if (counts.aggregates || !counts.tags.empty()) ++facts.difficulty;
  if (counts.operators >= kManyOperators || facts.tables.size() > 1) ++facts.difficulty;
  facts.tags.assign(counts.tags.begin(), counts.tags.end());
  return facts;
}

}  // namespace micius::aimicius::nl2kql
