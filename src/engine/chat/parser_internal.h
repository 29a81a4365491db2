// The two halves of the parser share a position in the tokens.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/chat/ast.h"

namespace micius::jinja {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& current() const { return tokens_[i_]; }
  const Token& following() const { return tokens_[i_ + 1 < tokens_.size() ? i_ + 1 : i_]; }
  const Token& next();  // returns the current token and moves on
  bool is(Token::Kind kind) const { return current().kind == kind; }
  bool is_operator(std::string_view op) const { return is(Token::Kind::kOperator) && current().text == op; }
  bool is_name(std::string_view name) const { return is(Token::Kind::kName) && current().text == name; }
  bool skip_operator(std::string_view op);
  bool skip_name(std::string_view name);
  const Token& expect(Token::Kind kind, std::string_view what);
  void expect_operator(std::string_view op);
  [[noreturn]] void fail(FailureKind kind, std::string message) const;

 private:
  std::vector<Token> tokens_;
  std::size_t i_ = 0;
};

// Counts the levels of a recursion; fails beyond 64.
class Nesting {
 public:
  Nesting(int& depth, const TokenStream& tokens) : depth_(depth) {
    if (++depth_ > 64) tokens.fail(FailureKind::kLimit, "nesting deeper than 64");
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  int& depth_;
};

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  ExpressionPtr expression();
  ExpressionPtr without_condition();  // no `a if b`, for the items of a loop
  // One expression, or several with commas as a tuple. `ends` are names that end it.
  ExpressionPtr tuple(bool with_condition, std::initializer_list<std::string_view> ends = {});
  // `|a|b(c)` behind `input`; without_pipe: the first one has no bar before it (filter blocks).
  enum class FirstFilter { kBehindBar, kWithoutBar };
  ExpressionPtr filters(ExpressionPtr input, FirstFilter first);
  Target target(std::initializer_list<std::string_view> ends, bool with_namespace);
  ExpressionPtr call(ExpressionPtr callee);

  // While above 0 unknown filters and tests fail when they run, not when they are read, as in Jinja.
  int conditional_depth = 0;
  // Every name read so far; macros look here for varargs, kwargs and caller.
  std::set<std::string, std::less<>> names_read;

 private:
  using Rule = ExpressionPtr (ExpressionParser::*)();

  ExpressionPtr condition();
  ExpressionPtr logical_or();
  ExpressionPtr logical_and();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filters);
  ExpressionPtr primary();
  ExpressionPtr name_or_constant();
  ExpressionPtr list_literal();
  ExpressionPtr dict_literal();
  ExpressionPtr postfix(ExpressionPtr expression);
  ExpressionPtr filters_and_tests(ExpressionPtr expression);
  ExpressionPtr subscript(ExpressionPtr object);
  ExpressionPtr bracketed(ExpressionPtr object, Position at);
  ExpressionPtr test(ExpressionPtr input);
  CallArguments arguments();
  ExpressionPtr left_to_right(Rule operand, std::initializer_list<std::string_view> operators);
  Target single_target(bool with_namespace);
  bool tuple_ends(std::initializer_list<std::string_view> ends) const;
  void check_name(const char* what, const std::string& name) const;

  TokenStream& tokens_;
  int depth_ = 0;
};

}  // namespace micius::jinja
