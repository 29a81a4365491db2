// Statements.
#include "kql/parser_internal.h"

namespace micius::kql {

void Parser::statements(NodeId parent) {
  for (NodeId node = statement(); node != kNoNode; node = statement()) {
    add(parent, node);
    if (accept(Tok::kSemicolon)) continue;
    // Another statement here lacks its `;`; anything else is for the rule around them to judge.
    const Token& next = token();
    const std::string what = found();
    if (statement() == kNoNode) return;
    fail_at(next.offset, "expected ';' before the next statement, not " + what);
  }
}

bool Parser::statement_follows() const {
  switch (kind()) {
    case Tok::kAlias:
      return kind(1) == Tok::kDatabase;
    case Tok::kLet:
      return name_length(1) > 0;
    case Tok::kDeclare:
      return kind(1) == Tok::kPattern || kind(1) == Tok::kQueryParameters;
    case Tok::kRestrict:
      return kind(1) == Tok::kAccess;
    case Tok::kSet:
      return true;
    default:
      return false;
  }
}

NodeId Parser::statement() {
  if (!statement_follows()) return expression();
  switch (kind()) {
    case Tok::kAlias:
      return alias();
    case Tok::kLet:
      return let();
    case Tok::kSet:
      return set();
    case Tok::kDeclare:
      return kind(1) == Tok::kPattern ? declare_pattern() : declare_parameters();
    default:
      return restrict();
  }
}

NodeId Parser::let_unguarded() {
  if (kind() != Tok::kLet) return kNoNode;
  const NodeId node = take(NodeKind::kLet);
  add(node, needed(declaration(), "a name"));
  expect(Tok::kEqual);
  NodeId value = kNoNode;
  if (kind() == Tok::kMaterialize) {
    value = materialize();
  } else if (kind() == Tok::kEntityGroup) {
    value = entity_group();
  } else if (function_follows()) {
    value = function();
  } else {
    value = expression();
  }
  add(node, needed(value, "an expression"));
  return close(node);
}

NodeId Parser::materialize() {
  const NodeId node = take(NodeKind::kMaterialize);
  expect(Tok::kOpenParen);
  add(node, needed(expression(), "an expression"));
  expect(Tok::kCloseParen);
  return close(node);
}

// Does `(a: long) {..}`, `() {..}` or `view () {..}` stand there?
bool Parser::function_follows() const {
  const std::size_t open = kind() == Tok::kView ? 1 : 0;
  if (kind(open) != Tok::kOpenParen) return false;
  if (kind(open + 1) == Tok::kCloseParen || kind(open + 1) == Tok::kAsterisk) return true;
  const std::size_t length = extended_name_length(open + 1);
  return length > 0 && kind(open + 1 + length) == Tok::kColon;
}

NodeId Parser::function() {
  const NodeId node = make(NodeKind::kFunction);
  accept(Tok::kView);
  add(node, parameters());
  add(node, body(&Parser::body_statement));
  return close(node);
}

// { let a = 1; T | where b > a }
NodeId Parser::body(Rule first_statements) {
  const NodeId node = make(NodeKind::kBody);
  expect(Tok::kOpenBrace);
  while (!common_end()) {
    const NodeId statement = (this->*first_statements)();
    if (statement == kNoNode) break;
    expect(Tok::kSemicolon);
    add(node, statement);
  }
  add(node, expression());
  accept(Tok::kSemicolon);
  expect(Tok::kCloseBrace);
  return close(node);
}

NodeId Parser::body_statement() {
  if (kind() == Tok::kLet) return let();
  return kind() == Tok::kDeclare ? declare_parameters() : kNoNode;
}

NodeId Parser::set() {
  const NodeId node = take(NodeKind::kSet);
  add(node, needed(declaration(), "a name"));
  if (accept(Tok::kEqual)) add(node, needed(unnamed(), "an expression"));
  return close(node);
}

NodeId Parser::alias() {
  const NodeId node = take(NodeKind::kAlias);
  expect(Tok::kDatabase);
  add(node, needed(declaration(), "a name"));
  expect(Tok::kEqual);
  add(node, needed(unnamed(), "an expression"));
  return close(node);
}

NodeId Parser::declare_parameters() {
  const NodeId node = take(NodeKind::kDeclareParameters);
  expect(Tok::kQueryParameters);
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::parameter, {.expected = "a parameter", .count = Count::kOneOrMore});
  expect(Tok::kCloseParen);
  return close(node);
}

// declare pattern p = (a: string)[b: string] { ('x').['y'] = { T }; }
NodeId Parser::declare_pattern() {
  const NodeId node = take(NodeKind::kDeclarePattern, 2);
  add(node, needed(declaration(), "a name"));
  if (!accept(Tok::kEqual)) return close(node);
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::typed_declaration, {.expected = "a parameter"});
  expect(Tok::kCloseParen);
  if (accept(Tok::kOpenBracket)) {
    add(node, needed(typed_declaration(), "a parameter"));
    expect(Tok::kCloseBracket);
  }
  expect(Tok::kOpenBrace);
  do {
    add(node, needed(pattern_match(), "a match such as ('x') = { T };"));
  } while (kind() == Tok::kOpenParen);
  expect(Tok::kCloseBrace);
  return close(node);
}

NodeId Parser::pattern_match() {
  if (kind() != Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kPatternMatch);
  comma_list(node, &Parser::unnamed, {.expected = "a string", .count = Count::kOneOrMore});
  expect(Tok::kCloseParen);
  if (accept(Tok::kDot)) {
    expect(Tok::kOpenBracket);
    add(node, needed(literal(), "a string"));
    expect(Tok::kCloseBracket);
  }
  expect(Tok::kEqual);
  add(node, body(&Parser::let));
  expect(Tok::kSemicolon);
  return close(node);
}

// restrict access to (T, database('d').*) with (a=b)
NodeId Parser::restrict() {
  const NodeId node = take(NodeKind::kRestrict);
  expect(Tok::kAccess);
  expect(Tok::kTo);
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::wildcard_entity, {.expected = "a table", .count = Count::kOneOrMore});
  expect(Tok::kCloseParen);
  external_properties(node);
  return close(node);
}

}  // namespace micius::kql
