#include "engine/chat/parser.h"

#include <algorithm>

#include "engine/chat/parser_internal.h"

namespace micius::jinja {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize(source)), expressions_(tokens_) {}

  Body run() {
    Body body = statements({});
    if (!tokens_.is(Token::Kind::kEnd)) unknown_tag();
    return body;
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  [[noreturn]] void unknown_tag() const {
    tokens_.fail(FailureKind::kSyntax, fmt::format("Encountered unknown tag '{}'.", tokens_.current().text));
  }

  template <typename Node>
  static Statement make(Position at, Node node) {
    return Statement{at, std::move(node)};
  }

  // Until a tag of `ends`, whose name is then the current token.
  Body statements(Names ends) {
    const Nesting nesting(depth_, tokens_);
    Body body;
    while (!tokens_.is(Token::Kind::kEnd)) {
      const Token& token = tokens_.next();
      const Position at = token.at;
      if (token.kind == Token::Kind::kData) {
        body.push_back(make(at, Data{token.text}));
      } else if (token.kind == Token::Kind::kPrintBegin) {
        body.push_back(make(at, Print{expressions_.tuple(true)}));
        tokens_.expect(Token::Kind::kPrintEnd, "end of print statement");
      } else {
        if (std::any_of(ends.begin(), ends.end(),
                        [&](std::string_view name) { return tokens_.is_name(name); }))
          return body;
        body.push_back(statement(at));
        tokens_.expect(Token::Kind::kBlockEnd, "end of statement block");
      }
    }
    if (ends.size() > 0) {
      tokens_.fail(FailureKind::kSyntax,
                   fmt::format("Unexpected end of template. Jinja was looking for '{}'.", *(ends.end() - 1)));
    }
    return body;
  }

  // The body behind the current tag's end, up to and with the name that ends it.
  Body block(Names ends) {
    tokens_.expect(Token::Kind::kBlockEnd, "end of statement block");
    return statements(ends);
  }
  Body whole_block(std::string_view end) {
    Body body = block({end});
    tokens_.next();
    return body;
  }

  Statement statement(Position at) {
    if (!tokens_.is(Token::Kind::kName)) tokens_.fail(FailureKind::kSyntax, "tag name expected");
    const std::string name = tokens_.current().text;
    static const std::set<std::string, std::less<>> kUncovered = {
        "include", "import", "from", "extends", "block", "autoescape", "do", "trans", "pluralize", "debug"};
    static constexpr std::pair<std::string_view, Statement (Parser::*)(Position)> kStatements[] = {
        {"if", &Parser::if_statement},       {"for", &Parser::for_statement},
        {"set", &Parser::set_statement},     {"macro", &Parser::macro_statement},
        {"call", &Parser::call_statement},   {"filter", &Parser::filter_statement},
        {"with", &Parser::with_statement},   {"generation", &Parser::generation_statement},
        {"break", &Parser::break_statement}, {"continue", &Parser::continue_statement}};
    if (kUncovered.count(name) > 0)
      tokens_.fail(FailureKind::kUnsupported, fmt::format("the statement '{}'", name));
    for (const auto& [keyword, rule] : kStatements) {
      if (name != keyword) continue;
      tokens_.next();
      return (this->*rule)(at);
    }
    unknown_tag();
  }

  Statement if_statement(Position at) {
    If node;
    ++expressions_.conditional_depth;
    do {
      ExpressionPtr test = expressions_.tuple(false);
      node.branches.emplace_back(std::move(test), block({"elif", "else", "endif"}));
    } while (tokens_.skip_name("elif"));
    if (tokens_.skip_name("else")) node.otherwise = block({"endif"});
    --expressions_.conditional_depth;
    tokens_.next();
    return make(at, std::move(node));
  }

  Statement for_statement(Position at) {
    For node;
    node.target = expressions_.target({"in"}, false);
    if (!tokens_.skip_name("in"))
      tokens_.fail(FailureKind::kSyntax,
                   fmt::format("expected token 'in', got '{}'", describe(tokens_.current())));
    node.items = expressions_.tuple(false, {"recursive"});
    if (tokens_.skip_name("if")) node.filter = expressions_.expression();
    node.recursive = tokens_.skip_name("recursive");
    ++loops_;
    node.body = block({"endfor", "else"});
    --loops_;
    if (tokens_.skip_name("else")) node.otherwise = block({"endfor"});
    tokens_.next();
    return make(at, std::move(node));
  }

  Statement set_statement(Position at) {
    Target target = expressions_.target({}, true);
    if (tokens_.skip_operator("=")) return make(at, Set{std::move(target), expressions_.tuple(true)});
    SetBlock node;
    node.target = std::move(target);
    if (tokens_.is_operator("|"))
      node.filter = expressions_.filters(nullptr, ExpressionParser::FirstFilter::kBehindBar);
    node.body = whole_block("endset");
    return make(at, std::move(node));
  }

  // (a, b=1), then the body up to `end`.
  void macro_body(MacroDefinition& macro, std::string_view end) {
    auto outer_names = std::exchange(expressions_.names_read, {});
    const int outer_loops = std::exchange(loops_, 0);
    macro.body = whole_block(end);
    loops_ = outer_loops;
    auto& names = expressions_.names_read;
    macro.reads_varargs = names.count("varargs") > 0;
    macro.reads_kwargs = names.count("kwargs") > 0;
    macro.reads_caller = names.count("caller") > 0;
    names.merge(outer_names);
  }

  void signature(MacroDefinition& macro) {
    tokens_.expect_operator("(");
    while (!tokens_.is_operator(")")) {
      if (!macro.parameters.empty()) tokens_.expect_operator(",");
      macro.parameters.push_back(tokens_.expect(Token::Kind::kName, "name").text);
      if (tokens_.skip_operator("=")) {
        macro.defaults.push_back(expressions_.expression());
      } else if (!macro.defaults.empty()) {
        tokens_.fail(FailureKind::kSyntax, "non-default argument follows default argument");
      }
    }
    tokens_.next();
  }

  Statement macro_statement(Position at) {
    MacroDefinition node;
    node.name = tokens_.expect(Token::Kind::kName, "name").text;
    signature(node);
    macro_body(node, "endmacro");
    return make(at, std::move(node));
  }

  Statement call_statement(Position at) {
    CallBlock node;
    node.caller.name = "caller";
    if (tokens_.is_operator("(")) signature(node.caller);
    node.call = expressions_.expression();
    if (!std::holds_alternative<Call>(node.call->node)) tokens_.fail(FailureKind::kSyntax, "expected call");
    macro_body(node.caller, "endcall");
    return make(at, std::move(node));
  }

  Statement filter_statement(Position at) {
    FilterBlock node;
    node.filter = expressions_.filters(nullptr, ExpressionParser::FirstFilter::kWithoutBar);
    node.body = whole_block("endfilter");
    return make(at, std::move(node));
  }

  Statement with_statement(Position at) {
    With node;
    while (!tokens_.is(Token::Kind::kBlockEnd)) {
      if (!node.assignments.empty()) tokens_.expect_operator(",");
      Target target = expressions_.target({}, false);
      tokens_.expect_operator("=");
      node.assignments.emplace_back(std::move(target), expressions_.expression());
    }
    node.body = whole_block("endwith");
    return make(at, std::move(node));
  }

  Statement generation_statement(Position at) { return make(at, Group{whole_block("endgeneration")}); }

  Statement break_statement(Position at) {
    check_loop();
    return make(at, Break{});
  }
  Statement continue_statement(Position at) {
    check_loop();
    return make(at, Continue{});
  }
  void check_loop() const {
    if (loops_ == 0) tokens_.fail(FailureKind::kSyntax, "'break' or 'continue' outside a loop");
  }

  TokenStream tokens_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Body parse(std::string_view source) { return Parser(source).run(); }

}  // namespace micius::jinja
