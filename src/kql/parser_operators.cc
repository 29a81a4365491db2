// Pipes, and the operators from `as` to `join`.
#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

constexpr Options kAfterwards = {.equals = Options::Equals::kExpected};

}  // namespace

// A word that may be an operator or a name: which one is told by what follows.
bool Parser::operator_follows() const {
  switch (kind()) {
    case Tok::kEvaluate:
      return name_length(1) > 0 || option_length(kAfterwards, 1) > 0;
    case Tok::kFacet:
      return kind(1) == Tok::kBy;
    case Tok::kPartition:
    case Tok::kReduce:
      return kind(1) == Tok::kBy || option_length(kAfterwards, 1) > 0;
    case Tok::kRange: {
      const std::size_t length = name_length(1);
      return length > 0 && kind(1 + length) == Tok::kFrom;
    }
    case Tok::kInlineExternalTable:
      return kind(1) == Tok::kOpenParen || kind(1) == Tok::kKind;
    case Tok::kRender:
      return is_chart(1) || is_name(1);
    case Tok::kAs:
    case Tok::kAssertSchema:
    case Tok::kExecuteAndCache:
    case Tok::kFind:
    case Tok::kGraphMatch:
    case Tok::kGraphToTable:
    case Tok::kInvoke:
    case Tok::kMacroExpand:
    case Tok::kMakeGraph:
    case Tok::kGraphMarkComponents:
    case Tok::kMakeSeries:
    case Tok::kMvDashApply:
    case Tok::kMvDashExpand:
    case Tok::kParseWhere:
    case Tok::kParseKv:
    case Tok::kPrint:
    case Tok::kProject:
    case Tok::kProjectAway:
    case Tok::kProjectKeep:
    case Tok::kProjectRename:
    case Tok::kProjectByNames:
    case Tok::kProjectReorder:
    case Tok::kSample:
    case Tok::kSampleDistinct:
    case Tok::kSearch:
    case Tok::kTopHitters:
    case Tok::kTopNested:
    case Tok::kUnion:
    case Tok::kWhere:
      return true;
    default:
      return false;
  }
}

// Operators that a query may begin with.
NodeId Parser::leading_operator() {
  switch (kind()) {
    case Tok::kEvaluate:
      return evaluate();
    case Tok::kFind:
      return find();
    case Tok::kMacroExpand:
      return macro_expand();
    case Tok::kPrint:
      return named_list(NodeKind::kPrint, Count::kOneOrMore);
    case Tok::kSearch:
      return search();
    case Tok::kUnion:
      return union_operator();
    default:
      return kNoNode;
  }
}

NodeId Parser::piped_operator() {
  switch (kind()) {
    case Tok::kAs:
      return as_operator();
    case Tok::kAssertSchema:
      return assert_schema();
    case Tok::kConsume:
      return keyword_alone(NodeKind::kConsume);
    case Tok::kCount:
      return count();
    case Tok::kDistinct:
      return distinct();
    case Tok::kEvaluate:
      return evaluate();
    case Tok::kExecuteAndCache:
      return take(NodeKind::kExecuteAndCache);
    case Tok::kExtend:
      return named_list(NodeKind::kExtend, Count::kOneOrMore);
    case Tok::kFacet:
      return facet();
    case Tok::kFilter:
    case Tok::kWhere:
      return one_expression(NodeKind::kWhere, {});
    case Tok::kFind:
      return find();
    case Tok::kFork:
      return fork();
    case Tok::kGetSchema:
      return get_schema();
    case Tok::kGraphMarkComponents:
    case Tok::kGraphMatch:
    case Tok::kGraphShortestPaths:
    case Tok::kGraphToTable:
    case Tok::kGraphWhereEdges:
    case Tok::kGraphWhereNodes:
    case Tok::kMakeGraph:
      return graph_operator();
    case Tok::kInlineExternalTable:
      return inline_external_table();
    case Tok::kInvoke:
      return invoke();
    case Tok::kJoin:
      return join();
    default:
      return piped_operator_l_to_p();
  }
}

NodeId Parser::needed_operator_unguarded() {
  NodeId node = piped_operator();
  if (node == kNoNode) node = leading_operator();
  return needed(node, "an operator");
}

NodeId Parser::pipe() {
  NodeId head = kNoNode;
  const Rule operators[] = {&Parser::leading_operator, &Parser::piped_operator};
  const bool first = operator_follows();
  if (!first) head = unnamed();
  for (const Rule rule : operators)
    if (head == kNoNode) head = nested(rule);
  if (first && head == kNoNode) head = unnamed();
  return stages(head);
}

NodeId Parser::stages(NodeId head) {
  if (head == kNoNode || kind() != Tok::kBar) return head;
  const NodeId node = wrap(NodeKind::kPipe, at_, head);
  while (accept(Tok::kBar)) add(node, needed_operator());
  return close(node);
}

NodeId Parser::contextual_pipe() {
  const NodeId head = contextual_data_table();
  return stages(head != kNoNode ? head : needed_operator());
}

// What may stand in fork: operators, or a whole query.
NodeId Parser::fork_pipe() {
  NodeId head = nested(&Parser::piped_operator);
  if (head == kNoNode) head = nested(&Parser::leading_operator);
  return stages(head);
}

NodeId Parser::keyword_alone(NodeKind kind) {
  const NodeId node = take(kind);
  options(node, kAfterwards);
  return close(node);
}

NodeId Parser::named_list(NodeKind kind, Count count) {
  const NodeId node = take(kind);
  if (kind == NodeKind::kSerialize) options(node, {});
  comma_list(node, &Parser::named, {.count = count});
  return close(node);
}

NodeId Parser::list_of(NodeKind kind, Rule element) {
  const NodeId node = take(kind);
  comma_list(node, element, {});
  return close(node);
}

NodeId Parser::one_expression(NodeKind kind, const Options& all) {
  const NodeId node = take(kind);
  options(node, all);
  add(node, needed(named(), "an expression"));
  return close(node);
}

// `by x`: the keyword is the next token.
NodeId Parser::clause(Rule value, std::string_view expected) {
  const NodeId node = take(NodeKind::kClause);
  add(node, needed((this->*value)(), expected));
  return close(node);
}

void Parser::optional_clause(NodeId parent, Tok keyword, Rule value, std::string_view expected) {
  if (kind() == keyword) add(parent, clause(value, expected));
}

void Parser::clause_list(NodeId parent, Rule element, const List& list) {
  const NodeId node = take(NodeKind::kClause);
  comma_list(node, element, list);
  add(parent, close(node));
}

NodeId Parser::as_operator() {
  const NodeId node = take(NodeKind::kAs);
  options(node, {});
  add(node, needed(declaration(), "a name"));
  return close(node);
}

NodeId Parser::assert_schema() {
  const NodeId node = take(NodeKind::kAssertSchema);
  add(node, row_schema());
  return close(node);
}

// `count(` is the function.
NodeId Parser::count() {
  if (kind(1) == Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kCount);
  if (accept(Tok::kAs)) {
    const bool name = kind() == Tok::kIdentifier;
    add(node, name ? declaration() : needed(kNoNode, "a name"));
  }
  return close(node);
}

NodeId Parser::distinct() {
  const NodeId node = take(NodeKind::kDistinct);
  options(node, {});
  comma_list(node, &Parser::distinct_element, {.count = Count::kOneOrMore});
  return close(node);
}

NodeId Parser::distinct_element() { return kind() == Tok::kAsterisk ? take(NodeKind::kStar) : named(); }

NodeId Parser::evaluate() {
  const NodeId node = take(NodeKind::kEvaluate);
  options(node, kAfterwards);
  if (call_follows()) {
    add(node, call());
  } else {
    at_ += static_cast<std::uint32_t>(name_length());
    fail("a plugin's call");
  }
  if (accept(Tok::kColon)) add(node, evaluate_schema());
  return close(node);
}

NodeId Parser::facet() {
  const NodeId node = take(NodeKind::kFacet);
  expect(Tok::kBy);
  comma_list(node, &Parser::simple_path,
             {.end = ListEnd::kWith, .expected = "a column", .count = Count::kOneOrMore});
  if (!accept(Tok::kWith)) return close(node);
  const bool bracket = accept(Tok::kOpenParen);
  const NodeId query = make(NodeKind::kSubquery);
  add(query, bracket ? needed(fork_pipe(), "an operator") : needed_operator());
  add(node, close(query));
  if (bracket) expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::find() {
  const NodeId node = take(NodeKind::kFind);
  data_scope(node);
  const bool some = options(node, kAfterwards);
  const bool in = find_in(node);
  if (some || in) {
    expect(Tok::kWhere);
  } else {
    accept(Tok::kWhere);
  }
  add(node, needed(unnamed(), "an expression"));
  if (kind() == Tok::kProject) {
    clause_list(node, &Parser::find_column,
                {.end = ListEnd::kOpen, .expected = "a column", .count = Count::kOneOrMore});
  } else {
    accept(Tok::kProjectSmart);
  }
  if (kind() == Tok::kUnderProjectAway)
    clause_list(node, &Parser::find_column,
                {.end = ListEnd::kOpen, .expected = "a column", .count = Count::kOneOrMore});
  return close(node);
}

// in (T1, T2 | as x, A*)
bool Parser::find_in(NodeId parent) {
  if (kind() != Tok::kIn) return false;
  const NodeId node = take(NodeKind::kClause);
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::find_operand, {.expected = "a table", .count = Count::kOneOrMore});
  expect(Tok::kCloseParen);
  add(parent, close(node));
  return true;
}

NodeId Parser::find_operand() {
  const bool simple = wildcard_length() == 0 && !call_follows();
  const NodeId operand = wildcard_entity();
  if (operand == kNoNode || !simple || kind() != Tok::kBar || tree_.kind(operand) == NodeKind::kPath ||
      tree_.kind(operand) == NodeKind::kElement || tree_.kind(operand) == NodeKind::kIndex)
    return operand;
  const NodeId node = wrap(NodeKind::kPipe, at_++, operand);
  add(node, kind() == Tok::kAs ? as_operator() : needed(kNoNode, "'as'"));
  return close(node);
}

// A column, a: long, pack(*) or *
NodeId Parser::find_column() {
  if (kind() == Tok::kAsterisk) return take(NodeKind::kStar);
  if (kind() == Tok::kPack) {
    const NodeId node = take(NodeKind::kCall);
    expect(Tok::kOpenParen);
    expect(Tok::kAsterisk);
    expect(Tok::kCloseParen);
    return close(node);
  }
  const NodeId column = name();
  if (column == kNoNode || kind() != Tok::kColon) return column;
  const NodeId node = wrap(NodeKind::kTypedColumn, at_++, column);
  add(node, needed(cast_type(), "a type"));
  return close(node);
}

NodeId Parser::fork() {
  const NodeId node = take(NodeKind::kFork);
  do {
    const std::size_t length = name_length();
    const bool named = length > 0 && kind(length) == Tok::kEqual;
    if (!named && kind() != Tok::kOpenParen) {
      fail("'('");
      break;
    }
    const NodeId part = make(NodeKind::kSubquery);
    if (named) {
      add(part, declaration());
      expect(Tok::kEqual);
    }
    expect(Tok::kOpenParen);
    NodeId query = fork_pipe();
    if (query == kNoNode) query = expression();
    add(part, needed(query, "an operator"));
    expect(Tok::kCloseParen);
    add(node, close(part));
  } while (kind() == Tok::kOpenParen || name_equals_follows());
  return close(node);
}

NodeId Parser::get_schema() {
  static constexpr OptionRule kKind = {"kind"};
  const NodeId node = take(NodeKind::kGetSchema);
  option(node, kKind);
  return close(node);
}

NodeId Parser::invoke() {
  const NodeId node = take(NodeKind::kInvoke);
  add(node, needed(call_path(), "a function's call"));
  return close(node);
}

NodeId Parser::join() {
  const NodeId node = take(NodeKind::kJoin);
  options(node, {});
  add(node, needed(unnamed(), "a table"));
  if (kind() == Tok::kOn) {
    join_on(node);
  } else {
    optional_clause(node, Tok::kWhere, &Parser::unnamed);
  }
  return close(node);
}

void Parser::join_on(NodeId parent) {
  clause_list(parent, &Parser::unnamed, {.end = ListEnd::kOpen, .count = Count::kOneOrMore});
}

}  // namespace micius::kql
