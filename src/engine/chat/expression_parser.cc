#include <algorithm>

#include "engine/chat/filters.h"
#include "engine/chat/parser_internal.h"

namespace micius::jinja {
namespace {

template <typename Node>
ExpressionPtr make(Position at, Node node) {
  return std::make_unique<const Expression>(Expression{at, std::move(node)});
}

}  // namespace

const Token& TokenStream::next() {
  const Token& token = tokens_[i_];
  if (i_ + 1 < tokens_.size()) ++i_;
  return token;
}

bool TokenStream::skip_operator(std::string_view op) {
  if (!is_operator(op)) return false;
  next();
  return true;
}

bool TokenStream::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  next();
  return true;
}

const Token& TokenStream::expect(Token::Kind kind, std::string_view what) {
  if (is(kind)) return next();
  if (is(Token::Kind::kEnd))
    fail(FailureKind::kSyntax, fmt::format("unexpected end of template, expected '{}'.", what));
  fail(FailureKind::kSyntax, fmt::format("expected token '{}', got '{}'", what, describe(current())));
}

void TokenStream::expect_operator(std::string_view op) {
  if (!is_operator(op))
    fail(FailureKind::kSyntax, fmt::format("expected token '{}', got '{}'", op, describe(current())));
  next();
}

void TokenStream::fail(FailureKind kind, std::string message) const {
  throw ReadFailure{{kind, std::move(message), {}}, current().at};
}

ExpressionPtr ExpressionParser::expression() {
  const Nesting nesting(depth_, tokens_);
  return condition();
}

ExpressionPtr ExpressionParser::without_condition() {
  const Nesting nesting(depth_, tokens_);
  return logical_or();
}

ExpressionPtr ExpressionParser::condition() {
  const Position at = tokens_.current().at;
  ExpressionPtr yes = logical_or();
  while (tokens_.skip_name("if")) {
    ++conditional_depth;
    ExpressionPtr test = logical_or();
    ExpressionPtr no;
    if (tokens_.skip_name("else")) no = expression();
    --conditional_depth;
    yes = make(at, Conditional{std::move(test), std::move(yes), std::move(no)});
  }
  return yes;
}

ExpressionPtr ExpressionParser::logical_or() {
  const Position at = tokens_.current().at;
  ExpressionPtr left = logical_and();
  while (tokens_.skip_name("or")) left = make(at, Binary{"or", std::move(left), logical_and()});
  return left;
}

ExpressionPtr ExpressionParser::logical_and() {
  const Position at = tokens_.current().at;
  ExpressionPtr left = negation();
  while (tokens_.skip_name("and")) left = make(at, Binary{"and", std::move(left), negation()});
  return left;
}

ExpressionPtr ExpressionParser::negation() {
  const Position at = tokens_.current().at;
  if (!tokens_.skip_name("not")) return comparison();
  const Nesting nesting(depth_, tokens_);
  return make(at, Unary{Unary::Operator::kNot, negation()});
}

ExpressionPtr ExpressionParser::comparison() {
  const Position at = tokens_.current().at;
  Comparison node{sum(), {}};
  while (true) {
    static const std::set<std::string, std::less<>> kSigns = {"==", "!=", "<", "<=", ">", ">="};
    const Token& token = tokens_.current();
    if (token.kind == Token::Kind::kOperator && kSigns.count(token.text) > 0) {
      const std::string sign = tokens_.next().text;
      node.rest.emplace_back(sign, sum());
    } else if (tokens_.skip_name("in")) {
      node.rest.emplace_back("in", sum());
    } else if (tokens_.is_name("not") && tokens_.following().kind == Token::Kind::kName &&
               tokens_.following().text == "in") {
      tokens_.next();
      tokens_.next();
      node.rest.emplace_back("not in", sum());
    } else {
      break;
    }
  }
  if (node.rest.empty()) return std::move(node.first);
  return make(at, std::move(node));
}

ExpressionPtr ExpressionParser::left_to_right(Rule operand,
                                              std::initializer_list<std::string_view> operators) {
  const Position at = tokens_.current().at;
  ExpressionPtr left = (this->*operand)();
  while (std::any_of(operators.begin(), operators.end(),
                     [&](std::string_view op) { return tokens_.is_operator(op); })) {
    std::string op = tokens_.next().text;
    left = make(at, Binary{std::move(op), std::move(left), (this->*operand)()});
  }
  return left;
}

ExpressionPtr ExpressionParser::sum() { return left_to_right(&ExpressionParser::concatenation, {"+", "-"}); }

ExpressionPtr ExpressionParser::concatenation() {
  const Position at = tokens_.current().at;
  Concatenation node;
  node.parts.push_back(product());
  while (tokens_.skip_operator("~")) node.parts.push_back(product());
  if (node.parts.size() == 1) return std::move(node.parts[0]);
  return make(at, std::move(node));
}

ExpressionPtr ExpressionParser::product() {
  return left_to_right(&ExpressionParser::power, {"*", "/", "//", "%"});
}

ExpressionPtr ExpressionParser::power() {
  const Position at = tokens_.current().at;
  ExpressionPtr left = unary(true);
  while (tokens_.skip_operator("**")) left = make(at, Binary{"**", std::move(left), unary(true)});
  return left;
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  const Position at = tokens_.current().at;
  ExpressionPtr node;
  if (tokens_.is_operator("-") || tokens_.is_operator("+")) {
    const Nesting nesting(depth_, tokens_);
    const auto op = tokens_.next().text == "-" ? Unary::Operator::kMinus : Unary::Operator::kPlus;
    node = make(at, Unary{op, unary(false)});
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filters ? filters_and_tests(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::primary() {
  const Token& token = tokens_.current();
  const Position at = token.at;
  if (token.kind == Token::Kind::kName) return name_or_constant();
  if (token.kind == Token::Kind::kText) {
    std::string text;
    while (tokens_.is(Token::Kind::kText)) text += tokens_.next().text;
    return make(at, Constant{Value(std::move(text))});
  }
  if (token.kind == Token::Kind::kInteger || token.kind == Token::Kind::kFloat)
    return make(at, Constant{tokens_.next().value});
  if (tokens_.is_operator("(")) {
    const Nesting nesting(depth_, tokens_);
    tokens_.next();
    ExpressionPtr inner =
        tokens_.is_operator(")") ? make(at, ListLiteral{Sequence::Kind::kTuple, {}}) : tuple(true);
    tokens_.expect_operator(")");
    return inner;
  }
  if (tokens_.is_operator("[")) return list_literal();
  if (tokens_.is_operator("{")) return dict_literal();
  tokens_.fail(FailureKind::kSyntax, fmt::format("unexpected '{}'", describe(token)));
}

ExpressionPtr ExpressionParser::name_or_constant() {
  const Token& token = tokens_.next();
  const std::string& name = token.text;
  if (name == "true" || name == "True") return make(token.at, Constant{Value(true)});
  if (name == "false" || name == "False") return make(token.at, Constant{Value(false)});
  if (name == "none" || name == "None") return make(token.at, Constant{Value()});
  names_read.insert(name);
  return make(token.at, Name{name});
}

ExpressionPtr ExpressionParser::list_literal() {
  const Position at = tokens_.next().at;
  ListLiteral node{Sequence::Kind::kList, {}};
  while (!tokens_.is_operator("]")) {
    if (!node.items.empty()) tokens_.expect_operator(",");
    if (tokens_.is_operator("]")) break;
    node.items.push_back(expression());
  }
  tokens_.expect_operator("]");
  return make(at, std::move(node));
}

ExpressionPtr ExpressionParser::dict_literal() {
  const Position at = tokens_.next().at;
  DictLiteral node;
  while (!tokens_.is_operator("}")) {
    if (!node.items.empty()) tokens_.expect_operator(",");
    if (tokens_.is_operator("}")) break;
    ExpressionPtr key = expression();
    tokens_.expect_operator(":");
    node.items.emplace_back(std::move(key), expression());
  }
  tokens_.expect_operator("}");
  return make(at, std::move(node));
}

bool ExpressionParser::tuple_ends(std::initializer_list<std::string_view> ends) const {
  if (tokens_.is(Token::Kind::kPrintEnd) || tokens_.is(Token::Kind::kBlockEnd) || tokens_.is_operator(")"))
    return true;
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view name) { return tokens_.is_name(name); });
}

ExpressionPtr ExpressionParser::tuple(bool with_condition, std::initializer_list<std::string_view> ends) {
  const Position at = tokens_.current().at;
  ListLiteral node{Sequence::Kind::kTuple, {}};
  bool has_comma = false;
  while (!tuple_ends(ends)) {
    node.items.push_back(with_condition ? expression() : without_condition());
    if (!tokens_.skip_operator(",")) break;
    has_comma = true;
  }
  if (has_comma) return make(at, std::move(node));
  if (node.items.size() == 1) return std::move(node.items[0]);
  tokens_.fail(FailureKind::kSyntax,
               fmt::format("Expected an expression, got '{}'", describe(tokens_.current())));
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr expression) {
  while (true) {
    if (tokens_.is_operator(".") || tokens_.is_operator("[")) {
      expression = subscript(std::move(expression));
    } else if (tokens_.is_operator("(")) {
      expression = call(std::move(expression));
    } else {
      return expression;
    }
  }
}

ExpressionPtr ExpressionParser::filters_and_tests(ExpressionPtr expression) {
  while (true) {
    if (tokens_.is_operator("|")) {
      expression = filters(std::move(expression), FirstFilter::kBehindBar);
    } else if (tokens_.is_name("is")) {
      expression = test(std::move(expression));
    } else if (tokens_.is_operator("(")) {
      expression = call(std::move(expression));
    } else {
      return expression;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr object) {
  const Token& sign = tokens_.next();
  const Position at = sign.at;
  if (sign.text == "[") return bracketed(std::move(object), at);
  const Token& name = tokens_.next();
  if (name.kind == Token::Kind::kName) return make(at, Attribute{std::move(object), name.text});
  if (name.kind != Token::Kind::kInteger)
    throw ReadFailure{{FailureKind::kSyntax, "expected name or number", {}}, name.at};
  return make(at, Item{std::move(object), make(name.at, Constant{name.value})});
}

// [a], [a:b:c], [a, b], and [], which Jinja reads as an empty tuple.
ExpressionPtr ExpressionParser::bracketed(ExpressionPtr object, Position at) {
  ExpressionPtr parts[3];
  int n = 0;  // colons so far
  while (true) {
    if (!tokens_.is_operator(":") && !tokens_.is_operator("]")) parts[n] = expression();
    if (n == 2 || !tokens_.skip_operator(":")) break;
    ++n;
  }
  if (n > 0) {
    if (tokens_.is_operator(",")) tokens_.fail(FailureKind::kUnsupported, "a subscript of several slices");
    tokens_.expect_operator("]");
    return make(at, Slice{std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
  }
  ListLiteral several{Sequence::Kind::kTuple, {}};
  const bool is_one = parts[0] && !tokens_.is_operator(",");
  if (is_one) {
    tokens_.expect_operator("]");
    return make(at, Item{std::move(object), std::move(parts[0])});
  }
  if (parts[0]) several.items.push_back(std::move(parts[0]));
  while (tokens_.skip_operator(",")) several.items.push_back(expression());
  tokens_.expect_operator("]");
  return make(at, Item{std::move(object), make(at, std::move(several))});
}

ExpressionPtr ExpressionParser::call(ExpressionPtr callee) {
  const Position at = tokens_.current().at;
  CallArguments args = arguments();
  return make(at, Call{std::move(callee), std::move(args)});
}

CallArguments ExpressionParser::arguments() {
  CallArguments out;
  tokens_.expect_operator("(");
  bool needs_comma = false;
  while (!tokens_.is_operator(")")) {
    if (needs_comma) tokens_.expect_operator(",");
    if (needs_comma && tokens_.is_operator(")")) break;
    needs_comma = true;
    if (tokens_.skip_operator("**")) {
      if (out.more_named) tokens_.fail(FailureKind::kSyntax, "invalid syntax for function call expression");
      out.more_named = expression();
    } else if (tokens_.skip_operator("*")) {
      if (out.more_positional || out.more_named)
        tokens_.fail(FailureKind::kSyntax, "invalid syntax for function call expression");
      out.more_positional = expression();
    } else if (tokens_.is(Token::Kind::kName) && tokens_.following().kind == Token::Kind::kOperator &&
               tokens_.following().text == "=") {
      std::string name = tokens_.next().text;
      tokens_.next();
      out.named.emplace_back(std::move(name), expression());
    } else {
      if (out.more_positional || out.more_named || !out.named.empty())
        tokens_.fail(FailureKind::kSyntax, "invalid syntax for function call expression");
      out.positional.push_back(expression());
    }
  }
  tokens_.expect_operator(")");
  return out;
}

void ExpressionParser::check_name(const char* what, const std::string& name) const {
  const bool is_filter = std::string_view(what) == "filter";
  const Coverage coverage = is_filter ? filter_coverage(name) : test_coverage(name);
  if (conditional_depth > 0 || coverage == Coverage::kCovered) return;
  if (coverage == Coverage::kKnown)
    tokens_.fail(FailureKind::kUnsupported, fmt::format("the {} '{}'", what, name));
  tokens_.fail(FailureKind::kSyntax, fmt::format("No {} named '{}'.", what, name));
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr input, FirstFilter first) {
  bool behind_bar = first == FirstFilter::kBehindBar;
  while (!behind_bar || tokens_.is_operator("|")) {
    if (behind_bar) tokens_.next();
    behind_bar = true;
    const Token& token = tokens_.expect(Token::Kind::kName, "name");
    const Position at = token.at;
    FilterCall node{std::move(input), token.text, {}};
    while (tokens_.skip_operator(".")) node.name += "." + tokens_.expect(Token::Kind::kName, "name").text;
    check_name("filter", node.name);
    if (tokens_.is_operator("(")) node.arguments = arguments();
    input = make(at, std::move(node));
  }
  return input;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr input) {
  const Position at = tokens_.next().at;
  const bool negated = tokens_.skip_name("not");
  TestCall node{std::move(input), tokens_.expect(Token::Kind::kName, "name").text, {}};
  while (tokens_.skip_operator(".")) node.name += "." + tokens_.expect(Token::Kind::kName, "name").text;
  check_name("test", node.name);
  const Token& token = tokens_.current();
  const bool ends = tokens_.is_name("else") || tokens_.is_name("or") || tokens_.is_name("and");
  if (tokens_.is_operator("(")) {
    node.arguments = arguments();
  } else if (!ends && (token.kind == Token::Kind::kName || token.kind == Token::Kind::kText ||
                       token.kind == Token::Kind::kInteger || token.kind == Token::Kind::kFloat ||
                       tokens_.is_operator("[") || tokens_.is_operator("{"))) {
    if (tokens_.is_name("is")) tokens_.fail(FailureKind::kSyntax, "You cannot chain multiple tests with is");
    node.arguments.positional.push_back(postfix(primary()));
  }
  ExpressionPtr result = make(at, std::move(node));
  return negated ? make(at, Unary{Unary::Operator::kNot, std::move(result)}) : std::move(result);
}

Target ExpressionParser::single_target(bool with_namespace) {
  const Nesting nesting(depth_, tokens_);
  if (tokens_.skip_operator("(")) {
    Target inner = target({}, with_namespace);
    tokens_.expect_operator(")");
    return inner;
  }
  const Token& token = tokens_.expect(Token::Kind::kName, "name");
  static const std::set<std::string, std::less<>> kReserved = {"true", "false", "none",
                                                               "True", "False", "None"};
  if (kReserved.count(token.text) > 0) {
    throw ReadFailure{{FailureKind::kSyntax, fmt::format("can't assign to '{}'", token.text), {}}, token.at};
  }
  Target out{token.text, {}, {}};
  if (with_namespace && tokens_.skip_operator("."))
    out.attribute = tokens_.expect(Token::Kind::kName, "name").text;
  return out;
}

Target ExpressionParser::target(std::initializer_list<std::string_view> ends, bool with_namespace) {
  if (tuple_ends(ends)) {
    tokens_.fail(FailureKind::kSyntax,
                 fmt::format("Expected an expression, got '{}'", describe(tokens_.current())));
  }
  Target first = single_target(with_namespace);
  if (!tokens_.is_operator(",")) return first;
  Target out;
  out.parts.push_back(std::move(first));
  while (tokens_.skip_operator(",") && !tuple_ends(ends) && !tokens_.is_operator("="))
    out.parts.push_back(single_target(with_namespace));
  return out;
}

}  // namespace micius::jinja
