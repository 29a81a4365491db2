// The graph operators and `scan`.
#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

constexpr OptionRule kPathsOptions[] = {{"output"}};
constexpr OptionRule kComponentOptions[] = {{"with_component_id", OptionValue::kDeclaration}};
constexpr OptionRule kNodesOptions[] = {{"with_node_id", OptionValue::kDeclaration}};
constexpr OptionRule kEdgesOptions[] = {{"with_source_id", OptionValue::kDeclaration},
                                        {"with_target_id", OptionValue::kDeclaration}};

}  // namespace

NodeId Parser::graph_operator() {
  switch (kind()) {
    case Tok::kMakeGraph:
      return make_graph();
    case Tok::kGraphMatch:
      return graph_match(NodeKind::kGraphMatch, {});
    case Tok::kGraphShortestPaths:
      return graph_match(NodeKind::kGraphShortestPaths, {kPathsOptions});
    case Tok::kGraphToTable:
      return graph_to_table();
    case Tok::kGraphMarkComponents:
      return graph_components();
    default:
      return graph_where();
  }
}

NodeId Parser::graph_components() {
  const NodeId node = take(NodeKind::kGraphMarkComponents);
  options(node, {kComponentOptions});
  return close(node);
}

NodeId Parser::graph_where() {
  const NodeId node = take(NodeKind::kGraphWhere);
  add(node, needed(unnamed(), "an expression"));
  return close(node);
}

// make-graph source --> target with nodes on id partitioned-by p (..)
NodeId Parser::make_graph() {
  const NodeId node = take(NodeKind::kMakeGraph);
  options(node, {});
  add(node, needed(name(), "a column"));
  if (!accept_glued("-->") && !accept_glued("--")) fail("'-->'");
  add(node, needed(name(), "a column"));
  if (kind() == Tok::kWithNodeId) {
    const NodeId with = take(NodeKind::kClause);
    expect(Tok::kEqual);
    add(with, needed(declaration(), "a name"));
    add(node, close(with));
  } else if (kind() == Tok::kWith) {
    clause_list(node, &Parser::graph_table,
                {.end = ListEnd::kPartitionedBy, .expected = "a table", .count = Count::kOneOrMore});
  }
  if (kind() != Tok::kPartitionedBy) return close(node);
  const NodeId by = take(NodeKind::kClause);
  add(by, needed(simple_path(), "a column"));
  expect(Tok::kOpenParen);
  const NodeId query = make(NodeKind::kSubquery);
  add(query, needed(contextual_pipe(), "an operator"));
  add(by, close(query));
  expect(Tok::kCloseParen);
  add(node, close(by));
  return close(node);
}

NodeId Parser::graph_table() {
  const NodeId table = unary();
  if (table == kNoNode) return kNoNode;
  const NodeId node = wrap(NodeKind::kClause, at_, table);
  expect(Tok::kOn);
  add(node, needed(name(), "a column"));
  return close(node);
}

NodeId Parser::graph_match(NodeKind what, const Options& all) {
  const NodeId node = take(what);
  options(node, all);
  comma_list(
      node, &Parser::graph_pattern,
      {.end = ListEnd::kOpen, .expected = "a pattern such as (a)-[b]->(c)", .count = Count::kOneOrMore});
  optional_clause(node, Tok::kWhere, &Parser::expression);
  if (kind() == Tok::kProject) clause_list(node, &Parser::named, {.count = Count::kOneOrMore});
  return close(node);
}

NodeId Parser::graph_pattern() {
  const NodeId node = make(NodeKind::kGraphPattern);
  for (;;) {
    NodeId part = graph_node();
    if (part == kNoNode) part = graph_edge();
    if (part == kNoNode) break;
    add(node, part);
  }
  if (tree_.nodes[node].first == kNoNode) fail("a pattern such as (a)-[b]->(c)");
  return close(node);
}

NodeId Parser::graph_node() {
  if (kind() != Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kGraphNode);
  add(node, declaration());
  expect(Tok::kCloseParen);
  return close(node);
}

// -->, <--, --, -[e]->, <-[e*1..3]-
NodeId Parser::graph_edge() {
  const std::uint32_t start = at_;
  const NodeId node = make(NodeKind::kGraphEdge);
  if (accept_glued("-->") || accept_glued("<--") || accept_glued("--")) return close(node);
  if (!accept_glued("-[") && !accept_glued("<-[")) {
    at_ = start;
    return kNoNode;
  }
  add(node, declaration());
  if (accept(Tok::kAsterisk)) {
    add(node, needed(unary(), "a number"));
    expect(Tok::kDotDot);
    add(node, needed(unary(), "a number"));
  }
  if (!accept_glued("]->") && !accept_glued("]-")) fail("']->'");
  return close(node);
}

NodeId Parser::graph_to_table() {
  const NodeId node = take(NodeKind::kGraphToTable);
  comma_list(node, &Parser::graph_output,
             {.end = ListEnd::kOpen, .expected = "nodes or edges", .count = Count::kOneOrMore});
  return close(node);
}

NodeId Parser::graph_output() {
  if (kind() != Tok::kNodes && kind() != Tok::kGraphEdges) return kNoNode;
  const Options all = kind() == Tok::kNodes ? Options{kNodesOptions} : Options{kEdgesOptions};
  const NodeId node = take(NodeKind::kClause);
  if (accept(Tok::kAs)) add(node, needed(declaration(), "a name"));
  options(node, all);
  return close(node);
}

// scan order by a partition by b declare (c: long) with (step s: d > 1 => c = 2;)
NodeId Parser::scan() {
  const NodeId node = take(NodeKind::kScan);
  options(node, {.equals = Options::Equals::kExpected});
  const auto by = [&](Tok word, Rule element) {
    if (kind() != word) return;
    const NodeId part = take(NodeKind::kClause);
    expect(Tok::kBy);
    comma_list(part, element, {.end = ListEnd::kScan, .count = Count::kOneOrMore});
    add(node, close(part));
  };
  by(Tok::kOrder, &Parser::ordered);
  by(Tok::kPartition, &Parser::unnamed);
  if (accept(Tok::kDeclare)) add(node, parameters());
  expect(Tok::kWith);
  expect(Tok::kOpenParen);
  while (!common_end()) {
    const NodeId step = scan_step();
    if (step == kNoNode) break;
    add(node, step);
  }
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::scan_step() {
  constexpr std::string_view kOutputs[] = {"all", "last", "none"};
  if (kind() != Tok::kStep) return kNoNode;
  const NodeId node = take(NodeKind::kScanStep);
  add(node, needed(extended_declaration(), "a name"));
  accept(Tok::kOptional);
  if (accept(Tok::kOutput)) {
    expect(Tok::kEqual);
    if (!accept_one_of(kOutputs)) fail("all, last or none");
  }
  expect(Tok::kColon);
  add(node, needed(unnamed(), "an expression"));
  if (kind() == Tok::kFatArrow)
    clause_list(node, &Parser::scan_assignment, {.expected = "a name", .count = Count::kOneOrMore});
  expect(Tok::kSemicolon);
  return close(node);
}

NodeId Parser::scan_assignment() {
  const NodeId name = extended_name();
  if (name == kNoNode) return kNoNode;
  const NodeId node = wrap(NodeKind::kNamed, at_, name);
  expect(Tok::kEqual);
  add(node, needed(unnamed(), "an expression"));
  return close(node);
}

}  // namespace micius::kql
