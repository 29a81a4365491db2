// Tables that are made in the text itself, and entity groups.
#include "kql/parser_internal.h"

namespace micius::kql {

NodeId Parser::data_table() {
  const NodeId node = take(NodeKind::kDataTable);
  options(node, {.equals = Options::Equals::kExpected});
  add(node, row_schema());
  expect(Tok::kOpenBracket);
  accept(Tok::kComma);
  comma_list(node, &Parser::literal, {.expected = "a value", .trailing = Trailing::kComma});
  expect(Tok::kCloseBracket);
  return close(node);
}

NodeId Parser::contextual_data_table() {
  if (kind() != Tok::kContextualDataTable) return kNoNode;
  const NodeId node = take(NodeKind::kContextualDataTable);
  const NodeId id = literal();
  add(node, id != kNoNode ? id : needed(unnamed(), "an expression"));
  add(node, row_schema());
  return close(node);
}

NodeId Parser::external_data() {
  const NodeId node = take(NodeKind::kExternalData);
  options(node, {.equals = Options::Equals::kExpected});
  add(node, row_schema());
  expect(Tok::kOpenBracket);
  comma_list(node, &Parser::expression, {.expected = "a value", .trailing = Trailing::kComma});
  expect(Tok::kCloseBracket);
  external_properties(node);
  return close(node);
}

// with (format='csv', ignoreFirstRecord=true)
void Parser::external_properties(NodeId parent) {
  if (kind() != Tok::kWith) return;
  const NodeId node = take(NodeKind::kClause);
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::property, {.expected = "a property"});
  expect(Tok::kCloseParen);
  add(parent, close(node));
}

NodeId Parser::property() {
  const NodeId name = extended_declaration();
  if (name == kNoNode) return kNoNode;
  const NodeId node = wrap(NodeKind::kOption, at_, name);
  expect(Tok::kEqual);
  switch (kind()) {
    case Tok::kStringLiteral:
      add(node, strings());
      break;
    case Tok::kLongLiteral:
    case Tok::kRealLiteral:
    case Tok::kBooleanLiteral:
    case Tok::kDateTimeLiteral:
    case Tok::kRawGuidLiteral:
    case Tok::kGuidLiteral:
      add(node, take(NodeKind::kLiteral));
      break;
    default:
      add(node, needed(extended_declaration(), "a value"));
  }
  return close(node);
}

// Does a bracket with a `:` in it stand there? The next `:` or `)` is remembered, so that nested text is read
// once.
bool Parser::schema_follows(std::size_t ahead) {
  if (kind(ahead) != Tok::kOpenParen) return false;
  const std::uint32_t from = at_ + static_cast<std::uint32_t>(ahead) + 1;
  const auto marks = [&](std::uint32_t at) {
    const Tok what = tree_.tokens[at].kind;
    return what == Tok::kColon || what == Tok::kCloseParen || what == Tok::kEndOfText;
  };
  if (schema_mark_ < from) {
    schema_mark_ = from;
    while (!marks(schema_mark_)) ++schema_mark_;
  }
  return tree_.tokens[schema_mark_].kind != Tok::kCloseParen;
}

NodeId Parser::inline_external_table() {
  constexpr std::string_view kKinds[] = {"storage", "delta"};
  const bool table = kind() == Tok::kInlineExternalTable && (schema_follows(1) || kind(1) == Tok::kKind);
  if (!table) return kNoNode;
  const NodeId node = take(NodeKind::kInlineExternalTable);
  const bool schema = schema_follows(0);
  if (schema) add(node, row_schema(Count::kOneOrMore));
  if (!accept(Tok::kKind)) fail("kind=storage or kind=delta");
  expect(Tok::kEqual);
  const bool delta = text() == kKinds[1];
  if (!accept_one_of(kKinds)) fail("storage or delta");
  if (!schema && !delta) fail("a schema such as (a: long, b: string)");
  inline_partitions(node);
  path_format(node);
  if (accept(Tok::kDataFormat)) {
    expect(Tok::kEqual);
    expect(Tok::kIdentifier);
  } else if (!delta) {
    fail("dataformat=");
  }
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::expression, {.expected = "a value", .trailing = Trailing::kComma});
  expect(Tok::kCloseParen);
  external_properties(node);
  return close(node);
}

void Parser::inline_partitions(NodeId parent) {
  if (kind() != Tok::kPartition) return;
  const NodeId node = take(NodeKind::kClause);
  expect(Tok::kBy);
  expect(Tok::kOpenParen);
  accept(Tok::kComma);
  comma_list(node, &Parser::partition_column,
             {.expected = "a partition column", .trailing = Trailing::kComma});
  expect(Tok::kCloseParen);
  add(parent, close(node));
}

NodeId Parser::partition_column() {
  const NodeId name = needed(extended_declaration(), "a name");
  if (name == kNoNode) return kNoNode;
  const NodeId node = wrap(NodeKind::kTypedName, at_, name);
  expect(Tok::kColon);
  const bool typed = kind() == Tok::kDateTime || kind() == Tok::kLong || kind() == Tok::kString;
  add(node, typed ? take(NodeKind::kType) : needed(kNoNode, "datetime, long or string"));
  if (accept(Tok::kEqual)) add(node, unnamed());
  return close(node);
}

// pathformat = ("year=" datetime_pattern("yyyy", day) "/" name)
void Parser::path_format(NodeId parent) {
  if (kind() != Tok::kPathFormat) return;
  const NodeId node = take(NodeKind::kClause);
  expect(Tok::kEqual);
  expect(Tok::kOpenParen);
  accept(Tok::kStringLiteral);
  add(node, needed(path_format_element(), "a partition column"));
  while (!common_end()) add(node, needed(path_format_element(), "a partition column"));
  expect(Tok::kCloseParen);
  add(parent, close(node));
}

NodeId Parser::path_format_element() {
  NodeId node = kNoNode;
  if (kind() == Tok::kDateTimePattern) {
    node = take(NodeKind::kClause);
    expect(Tok::kOpenParen);
    accept(Tok::kStringLiteral);
    expect(Tok::kComma);
    add(node, name());
    expect(Tok::kCloseParen);
    close(node);
  } else {
    node = name();
  }
  if (node != kNoNode) accept(Tok::kStringLiteral);
  return node;
}

// materialized-view-combine(v) base (q) delta (q) aggregations (summarize ..)
NodeId Parser::view_combine() {
  const NodeId node = take(NodeKind::kViewCombine);
  const auto part = [&](Rule rule) {
    expect(Tok::kOpenParen);
    add(node, needed((this->*rule)(), "an expression"));
    expect(Tok::kCloseParen);
  };
  part(&Parser::expression);
  for (const std::string_view word : {"base", "delta"}) {
    expect_text(word);
    part(&Parser::expression);
  }
  expect_text("aggregations");
  part(&Parser::summarize);
  return close(node);
}

// entity_group[cluster('c').database('d'), ..] or entity_group("name")
NodeId Parser::entity_group() {
  if (kind() != Tok::kEntityGroup) return kNoNode;
  if (call_follows()) return call();
  const NodeId node = take(NodeKind::kEntityGroup);
  expect(Tok::kOpenBracket);
  comma_list(node, &Parser::unnamed, {.count = Count::kOneOrMore});
  expect(Tok::kCloseBracket);
  return close(node);
}

}  // namespace micius::kql
