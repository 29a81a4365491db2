// Scalar expressions, by precedence climbing: one function for all levels keeps the stack of nested text
// small.
#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

// From loose to tight. At kAnd, kOr, kSum and kProduct operators may stand in a row; at the others one may
// stand alone: `a == b == c` is an error.
enum Level : std::int8_t { kOr, kAnd, kEquality, kRelation, kSum, kProduct, kText, kNone = -1 };

Level level_of(Tok kind) {
  switch (kind) {
    case Tok::kOr:
      return Level::kOr;
    case Tok::kAnd:
      return Level::kAnd;
    case Tok::kEqualEqual:
    case Tok::kBangEqual:
    case Tok::kLessThanGreaterThan:
    case Tok::kIn:
    case Tok::kInCs:
    case Tok::kNotIn:
    case Tok::kNotInCs:
    case Tok::kHasAny:
    case Tok::kHasAll:
    case Tok::kBetween:
    case Tok::kNotBetween:
      return Level::kEquality;
    case Tok::kLessThan:
    case Tok::kLessThanOrEqual:
    case Tok::kGreaterThan:
    case Tok::kGreaterThanOrEqual:
      return Level::kRelation;
    case Tok::kPlus:
    case Tok::kMinus:
      return Level::kSum;
    case Tok::kAsterisk:
    case Tok::kSlash:
    case Tok::kPercent:
      return Level::kProduct;
    default:
      return is_text_operator(kind) ? Level::kText : Level::kNone;
  }
}

bool repeats(int level) {
  return level == Level::kOr || level == Level::kAnd || level == Level::kSum || level == Level::kProduct;
}

}  // namespace

bool is_text_operator(Tok kind) {
  switch (kind) {
    case Tok::kEqualTilde:
    case Tok::kBangTilde:
    case Tok::kColon:
    case Tok::kHas:
    case Tok::kNotHas:
    case Tok::kHasCs:
    case Tok::kNotHasCs:
    case Tok::kHasPrefix:
    case Tok::kNotHasPrefix:
    case Tok::kHasPrefixCs:
    case Tok::kNotHasPrefixCs:
    case Tok::kHasSuffix:
    case Tok::kNotHasSuffix:
    case Tok::kHasSuffixCs:
    case Tok::kNotHasSuffixCs:
    case Tok::kLike:
    case Tok::kNotLike:
    case Tok::kLikeCs:
    case Tok::kNotLikeCs:
    case Tok::kContains:
    case Tok::kNotContains:
    case Tok::kNotBangContains:
    case Tok::kContainsCs:
    case Tok::kContainsUnderCs:
    case Tok::kNotContainsCs:
    case Tok::kNotBangContainsCs:
    case Tok::kStartsWith:
    case Tok::kNotStartsWith:
    case Tok::kStartsWithCs:
    case Tok::kNotStartsWithCs:
    case Tok::kEndsWith:
    case Tok::kNotEndsWith:
    case Tok::kEndsWithCs:
    case Tok::kNotEndsWithCs:
    case Tok::kMatchesRegex:
      return true;
    default:
      return false;
  }
}

// What stands left of the first operator. `below` becomes the level that the next operator must be looser
// than.
NodeId Parser::binary_left(int level, int& below) {
  below = Level::kText + 1;
  if (kind() != Tok::kAsterisk) return unary();
  // `* has 'x'`, `* == 1`: any column.
  const Tok op = kind(1);
  const bool equal = op == Tok::kEqualEqual && level <= Level::kEquality;
  if (!equal && !is_text_operator(op)) return unary();
  below = equal ? Level::kEquality : Level::kText;
  const NodeId star = take(NodeKind::kStar);
  const NodeId node = wrap(NodeKind::kBinary, at_++, star);
  add(node, needed(equal ? binary(Level::kRelation) : unary(), "an expression"));
  return close(node);
}

NodeId Parser::binary(int level) {
  int below = 0;
  NodeId left = binary_left(level, below);
  while (left != kNoNode) {
    const Tok op = kind();
    const int found = level_of(op);
    if (found < level || found >= below || found == Level::kNone) break;
    if (op == Tok::kIn && kind(1) == Tok::kRange) break;  // make-series .. in range(..)
    left = binary_right(found, op, left);
    below = repeats(found) ? found + 1 : found;
  }
  return left;
}

NodeId Parser::binary_right(int level, Tok op, NodeId left) {
  switch (op) {
    case Tok::kIn:
    case Tok::kInCs:
    case Tok::kNotIn:
    case Tok::kNotInCs:
    case Tok::kHasAny:
    case Tok::kHasAll: {
      const NodeId node = wrap(NodeKind::kIn, at_++, left);
      in_list(node);
      return close(node);
    }
    case Tok::kBetween:
    case Tok::kNotBetween: {
      const NodeId node = wrap(NodeKind::kBetween, at_++, left);
      expect(Tok::kOpenParen);
      add(node, needed(unnamed(), "an expression"));
      expect(Tok::kDotDot);
      add(node, needed(unnamed(), "an expression"));
      expect(Tok::kCloseParen);
      return close(node);
    }
    default: {
      const NodeId node = wrap(NodeKind::kBinary, at_++, left);
      add(node, needed(level == Level::kText ? unary() : binary(level + 1), "an expression"));
      return close(node);
    }
  }
}

// (1, 2) or one query.
void Parser::in_list(NodeId node) {
  expect(Tok::kOpenParen);
  if (is_query_ahead()) {
    add(node, needed(expression(), "an expression"));
  } else {
    comma_list(node, &Parser::unnamed, {.count = Count::kOneOrMore});
  }
  expect(Tok::kCloseParen);
}

bool Parser::is_query_ahead() { return operator_follows() || pipe_before_end(); }

// Does a bar stand ahead before the comma, the bracket or the `;` that ends the expression? All answers are
// found in one pass from the end, since asking along nested text would read it again and again.
bool Parser::pipe_before_end() {
  if (pipe_before_end_.empty()) {
    pipe_before_end_.resize(tree_.tokens.size() + 1);
    std::vector<std::uint32_t> closing;  // of the brackets that are open here, seen from the end
    for (std::uint32_t at = last_; at-- > 0;) {
      const Tok what = tree_.tokens[at].kind;
      bool found = false;
      if (what == Tok::kBar) {
        found = true;
      } else if (what == Tok::kCloseParen) {
        closing.push_back(at);
      } else if (what == Tok::kSemicolon) {
        closing.clear();
      } else if (what == Tok::kOpenParen) {
        if (!closing.empty()) {
          found = pipe_before_end_[closing.back() + 1];
          closing.pop_back();
        }
      } else if (what != Tok::kComma) {
        found = pipe_before_end_[at + 1];
      }
      pipe_before_end_[at] = found;
    }
  }
  return pipe_before_end_[at_];
}

NodeId Parser::unary() {
  if (kind() != Tok::kMinus && kind() != Tok::kPlus) return call_or_path();
  const NodeId node = take(NodeKind::kUnary);
  add(node, needed(call_or_path(), "an expression"));
  return close(node);
}

NodeId Parser::call_or_path() {
  if (kind() == Tok::kToTable) return converted(NodeKind::kToTable);
  return path_of(primary(), &Parser::selector_or_call, &Parser::index);
}

// first.step.step[bracket]..
NodeId Parser::path_of(NodeId first, Rule step, Rule bracket) {
  NodeId left = first;
  while (left != kNoNode) {
    if (kind() == Tok::kDot) {
      const NodeId node = wrap(NodeKind::kPath, at_++, left);
      add(node, needed((this->*step)(), "a name"));
      left = close(node);
    } else if (kind() == Tok::kOpenBracket) {
      const NodeId node = wrap(NodeKind::kElement, at_, left);
      add(node, (this->*bracket)());
      left = close(node);
    } else {
      break;
    }
  }
  return left;
}

NodeId Parser::primary() {
  switch (kind()) {
    case Tok::kLongLiteral:
    case Tok::kRealLiteral:
    case Tok::kBooleanLiteral:
    case Tok::kIntLiteral:
    case Tok::kDecimalLiteral:
    case Tok::kTimespanLiteral:
    case Tok::kDateTimeLiteral:
    case Tok::kGuidLiteral:
    case Tok::kRawGuidLiteral:
    case Tok::kStringLiteral:
    case Tok::kDynamic:
      return literal();
    case Tok::kDataTable:
      return data_table();
    case Tok::kContextualDataTable:
      return contextual_data_table();
    case Tok::kExternalData:
    case Tok::kExternalUnderData:
      return external_data();
    case Tok::kMaterializedViewCombine:
      return view_combine();
    case Tok::kOpenParen:
      return parenthesized();
    case Tok::kToScalar:
      return converted(NodeKind::kToScalar);
    case Tok::kTypeOf:
      if (kind(1) == Tok::kOpenParen) return type_of();
      break;
    default:
      break;
  }
  if (call_follows()) return call();
  const NodeId node = scoped_selector();
  if (node != kNoNode || !keyword_in_name_position()) return node;
  const std::string word(text());
  fail_at(token().offset, "'" + word + "' is a keyword; as a name it is ['" + word + "']");
  return kNoNode;
}

// toscalar(query), toscalar kind=nooptimization (query)
NodeId Parser::converted(NodeKind what) {
  static constexpr OptionRule kKind = {"kind", OptionValue::kConversionKind};
  const NodeId node = take(what);
  option(node, kKind);
  expect(Tok::kOpenParen);
  add(node, needed(expression(), "an expression"));
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::parenthesized() {
  if (kind() != Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kParen);
  add(node, needed(expression(), "an expression"));
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::index() {
  if (kind() != Tok::kOpenBracket) return kNoNode;
  const NodeId node = take(NodeKind::kIndex);
  add(node, needed(unnamed(), "an expression"));
  expect(Tok::kCloseBracket);
  return close(node);
}

NodeId Parser::bracket_selector() {
  NodeId node = bracketed_wildcard();
  if (node == kNoNode) node = name_of_length(bracketed_length(0));
  return node != kNoNode ? node : index();
}

NodeId Parser::selector() {
  if (kind() == Tok::kOpenBracket) return bracket_selector();
  if (kind() == Tok::kAt) return take(NodeKind::kAt);
  if (is_keyword(kind()) && name_use(kind()) == NameUse::kPathName) return take(NodeKind::kName);
  return name();
}

NodeId Parser::selector_or_call() { return call_follows() ? call() : selector(); }

NodeId Parser::scoped_selector() {
  const NodeId node = selector();
  if (node == kNoNode || kind() != Tok::kDataScope) return node;
  const NodeId scoped = wrap(NodeKind::kDataScope, at_, node);
  data_scope(scoped);
  return close(scoped);
}

// datascope=all
bool Parser::data_scope(NodeId parent) {
  constexpr std::string_view kScopes[] = {"all", "hotcache"};
  if (kind() != Tok::kDataScope) return false;
  const NodeId node = take(NodeKind::kClause);
  expect(Tok::kEqual);
  if (!accept_one_of(kScopes)) fail("all or hotcache");
  if (tree_.nodes[parent].kind == NodeKind::kDataScope) return true;
  add(parent, close(node));
  return true;
}

bool Parser::call_follows(std::size_t ahead) const {
  const std::size_t length = name_length(ahead);
  return length > 0 && kind(ahead + length) == Tok::kOpenParen;
}

NodeId Parser::call() {
  const NodeId node = make(NodeKind::kCall);
  add(node, name());
  expect(Tok::kOpenParen);
  comma_list(node, &Parser::argument, {});
  expect(Tok::kCloseParen);
  return close(node);
}

// f(..).g(..): what stands behind `invoke`
NodeId Parser::call_path() {
  NodeId left = call_follows() ? call() : kNoNode;
  while (left != kNoNode && kind() == Tok::kDot && call_follows(1)) {
    const NodeId node = wrap(NodeKind::kPath, at_++, left);
    add(node, call());
    left = close(node);
  }
  return left;
}

NodeId Parser::argument() {
  const bool star = kind() == Tok::kAsterisk && (kind(1) == Tok::kCloseParen || kind(1) == Tok::kComma);
  return star ? take(NodeKind::kStar) : named();
}

// How many tokens of a name with dashes (`a-b`), which needs brackets.
std::size_t Parser::dashed_length() const {
  if (kind() != Tok::kIdentifier && !is_keyword(kind())) return 0;
  std::size_t length = 1;
  for (;; ++length) {
    const Tok next = kind(length);
    const bool part = next == Tok::kIdentifier || is_keyword(next) || next == Tok::kMinus;
    if (!part || !token(length).glued) return length;
  }
}

// How many tokens `(a, b)` has, 0 if it is not that.
std::size_t Parser::name_list_length() const {
  if (kind() != Tok::kOpenParen) return 0;
  std::size_t length = 1;
  while (!common_end(length)) {
    const std::size_t name = extended_name_length(length);
    if (name == 0) return 0;
    length += name;
    if (kind(length) != Tok::kComma) break;
    ++length;
  }
  return kind(length) == Tok::kCloseParen ? length + 1 : 0;
}

// a, name = a, (a, b) = c
NodeId Parser::named() {
  if (const std::size_t length = extended_name_length(); length > 0 && kind(length) == Tok::kEqual)
    return named_value(extended_declaration());
  if (const std::size_t length = dashed_length(); length > 0 && kind(length) == Tok::kEqual) {
    const std::string word(tree_.text.substr(token().offset, token(length - 1).end() - token().offset));
    fail_at(token().offset, "the name '" + word + "' needs brackets: ['" + word + "']");
    return kNoNode;
  }
  const std::size_t length = name_list_length();
  if (length == 0 || kind(length) != Tok::kEqual) return unnamed();
  const NodeId names = take(NodeKind::kDeclarations);
  comma_list(names, &Parser::extended_declaration, {.expected = "a name", .count = Count::kOneOrMore});
  expect(Tok::kCloseParen);
  return named_value(close(names));
}

NodeId Parser::named_value(NodeId names) {
  const NodeId node = wrap(NodeKind::kNamed, at_, names);
  expect(Tok::kEqual);
  add(node, needed(unnamed(), "an expression"));
  return close(node);
}

// A column or table by name: a.b['c'], without calls.
NodeId Parser::simple_path() { return path_of(selector(), &Parser::selector, &Parser::bracket_selector); }

NodeId Parser::entity_path() {
  return path_of(selector_or_call(), &Parser::selector_or_call, &Parser::bracket_selector);
}

// A table by name, where the last step may be a wildcard: A*, database('d').B*
NodeId Parser::wildcard_entity() {
  if (wildcard_length() > 0) return wildcard();
  NodeId left = selector_or_call();
  while (left != kNoNode) {
    if (kind() == Tok::kDot) {
      const NodeId node = wrap(NodeKind::kPath, at_++, left);
      const bool last = wildcard_length() > 0;
      add(node, last ? wildcard() : needed(selector_or_call(), "a name"));
      left = close(node);
      if (last) return left;
    } else if (kind() == Tok::kOpenBracket) {
      const NodeId node = wrap(NodeKind::kElement, at_, left);
      add(node, bracket_selector());
      left = close(node);
    } else {
      break;
    }
  }
  return left;
}

}  // namespace micius::kql
