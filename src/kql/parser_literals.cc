// Literals, types and schemas.
#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

bool is_column_type(Tok kind) {
  switch (kind) {
    case Tok::kBool:
    case Tok::kBoolean:
    case Tok::kDate:
    case Tok::kDateTime:
    case Tok::kDecimal:
    case Tok::kDouble:
    case Tok::kDynamic:
    case Tok::kGuid:
    case Tok::kInt:
    case Tok::kInt64:
    case Tok::kInt8:
    case Tok::kLong:
    case Tok::kReal:
    case Tok::kString:
    case Tok::kTime:
    case Tok::kTimespan:
    case Tok::kUniqueId:
      return true;
    default:
      return false;
  }
}

bool is_cast_type(Tok kind) {
  switch (kind) {
    case Tok::kFloat:
    case Tok::kInt16:
    case Tok::kInt32:
    case Tok::kUInt:
    case Tok::kUInt16:
    case Tok::kUInt32:
    case Tok::kUInt64:
    case Tok::kUInt8:
    case Tok::kULong:
      return true;
    default:
      return is_column_type(kind);
  }
}

}  // namespace

NodeId Parser::literal() {
  switch (kind()) {
    case Tok::kStringLiteral:
      return strings();
    case Tok::kBooleanLiteral:
    case Tok::kLongLiteral:
    case Tok::kRealLiteral:
    case Tok::kDecimalLiteral:
    case Tok::kIntLiteral:
    case Tok::kGuidLiteral:
    case Tok::kDateTimeLiteral:
    case Tok::kTimespanLiteral:
      return take(NodeKind::kLiteral);
    case Tok::kRawGuidLiteral:
      fail_at(token().offset, "a guid is written guid(" + std::string(text()) + ")");
      return kNoNode;
    case Tok::kDynamic:
      return dynamic();
    case Tok::kPlus:
    case Tok::kMinus:
      return signed_number();
    case Tok::kTypeOf:
      return type_of();
    case Tok::kOpenBrace:
      return name_of_length(braced_length(0));
    default:
      return kNoNode;
  }
}

NodeId Parser::signed_number() {
  const Token& number = token(1);
  const bool is_number = number.kind == Tok::kLongLiteral || number.kind == Tok::kRealLiteral ||
                         number.kind == Tok::kTimespanLiteral;
  const char first = text(1).empty() ? '\0' : text(1)[0];
  if (!is_number || !number.glued || ((first < '0' || first > '9') && (first & 0x80) == 0)) return kNoNode;
  return take(NodeKind::kLiteral, 2);
}

NodeId Parser::strings() {
  const std::size_t length = strings_length(0);
  return length == 0 ? kNoNode : take(NodeKind::kLiteral, static_cast<std::uint32_t>(length));
}

NodeId Parser::dynamic() {
  if (kind(1) != Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kDynamic, 2);
  add(node, needed(json_value(), "a JSON value"));
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::json_value() { return nested(&Parser::json_value_unguarded); }

NodeId Parser::json_value_unguarded() {
  switch (kind()) {
    case Tok::kMinus:
      if (kind(1) != Tok::kLongLiteral && kind(1) != Tok::kRealLiteral) return kNoNode;
      return take(NodeKind::kLiteral, 2);
    case Tok::kLongLiteral:
    case Tok::kRealLiteral:
    case Tok::kBooleanLiteral:
    case Tok::kDateTimeLiteral:
    case Tok::kTimespanLiteral:
    case Tok::kGuidLiteral:
    case Tok::kRawGuidLiteral:
    case Tok::kDecimalLiteral:
    case Tok::kStringLiteral:
    case Tok::kDynamic:
      return literal();
    case Tok::kNull:
      return take(NodeKind::kLiteral);
    case Tok::kOpenBracket: {
      const NodeId node = take(NodeKind::kJsonArray);
      comma_list(node, &Parser::json_value, {.expected = "a JSON value"});
      expect(Tok::kCloseBracket);
      return close(node);
    }
    case Tok::kOpenBrace: {
      if (const std::size_t braced = braced_length(0); braced > 0) return name_of_length(braced);
      const NodeId node = take(NodeKind::kJsonObject);
      comma_list(node, &Parser::json_pair, {.expected = "a JSON pair"});
      expect(Tok::kCloseBrace);
      return close(node);
    }
    default:
      return kNoNode;
  }
}

NodeId Parser::json_pair() {
  if (kind() != Tok::kStringLiteral) {
    if (kind() != Tok::kColon && json_value() == kNoNode) return kNoNode;
    fail("a string as the key");
    return kNoNode;
  }
  const NodeId node = take(NodeKind::kJsonPair);
  expect(Tok::kColon);
  add(node, needed(json_value(), "a JSON value"));
  return close(node);
}

NodeId Parser::type(bool (*allowed)(Tok)) {
  if (allowed(kind())) return take(NodeKind::kType);
  if (is_cast_type(kind()) || is_name()) {
    fail("a type");
    return kNoNode;
  }
  return kNoNode;
}

NodeId Parser::cast_type() { return type(is_cast_type); }

NodeId Parser::type_of() {
  if (kind(1) != Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kTypeOf, 2);
  if (is_cast_type(kind()) || (kind() == Tok::kIdentifier && kind(1) == Tok::kCloseParen)) {
    add(node, take(NodeKind::kType));
  } else {
    comma_list(node, &Parser::type_of_element, {.expected = "a type"});
  }
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::type_of_element() {
  return kind() == Tok::kAsterisk ? take(NodeKind::kStar) : typed_declaration();
}

// name: type, where the type may be a schema.
NodeId Parser::typed_declaration() {
  if (kind() == Tok::kColon) fail("a name");
  const NodeId name = extended_declaration();
  if (name == kNoNode) return kNoNode;
  const NodeId node = wrap(NodeKind::kTypedName, at_, name);
  expect(Tok::kColon);
  add(node, kind() == Tok::kOpenParen ? schema_type() : needed(type(is_column_type), "a type"));
  return close(node);
}

NodeId Parser::maybe_typed_declaration() {
  if (kind() == Tok::kColon) fail("a name");
  const NodeId name = extended_declaration();
  if (name == kNoNode || kind() != Tok::kColon) return name;
  const NodeId node = wrap(NodeKind::kTypedName, at_, name);
  ++at_;
  add(node, needed(type(is_column_type), "a type"));
  return close(node);
}

NodeId Parser::schema_type() {
  const NodeId node = take(NodeKind::kSchema);
  if (kind() == Tok::kAsterisk) {
    add(node, take(NodeKind::kStar));
  } else {
    comma_list(node, &Parser::typed_declaration, {.expected = "a parameter", .trailing = Trailing::kComma});
  }
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::row_schema(Count count) {
  if (kind() != Tok::kOpenParen) {
    fail("a schema such as (a: long, b: string)");
    return kNoNode;
  }
  const NodeId node = take(NodeKind::kSchema);
  accept(Tok::kComma);
  comma_list(node, &Parser::typed_declaration,
             {.expected = "a column and its type", .count = count, .trailing = Trailing::kComma});
  expect(Tok::kCloseParen);
  return close(node);
}

// (*, a: long): the columns that there are stay.
NodeId Parser::evaluate_schema() {
  if (kind() != Tok::kOpenParen) {
    fail("a schema such as (a: long, b: string)");
    return kNoNode;
  }
  const NodeId node = take(NodeKind::kSchema);
  accept(Tok::kComma);
  if (kind() == Tok::kAsterisk) add(node, take(NodeKind::kStar));
  accept(Tok::kComma);
  comma_list(node, &Parser::typed_declaration,
             {.expected = "a column and its type", .trailing = Trailing::kComma});
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::parameter() {
  const NodeId name = typed_declaration();
  if (name == kNoNode || !accept(Tok::kEqual)) return name;
  NodeId value = literal();
  if (value == kNoNode && is_name()) value = take(NodeKind::kLiteral);
  add(name, needed(value, "a value"));
  return close(name);
}

NodeId Parser::parameters() {
  const NodeId node = make(NodeKind::kParameters);
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::parameter, {.expected = "a parameter"});
  expect(Tok::kCloseParen);
  return close(node);
}

}  // namespace micius::kql
