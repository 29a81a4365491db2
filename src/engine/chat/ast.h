// What a template is once read. Immutable; rendering never changes it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/chat/lexer.h"
#include "engine/chat/value.h"

namespace micius::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<const Expression>;
using Body = std::vector<Statement>;

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional, more_named;  // *a, **b; null: not there
};

struct Constant {
  Value value;
};
struct Name {
  std::string name;
};
struct ListLiteral {
  Sequence::Kind kind;
  std::vector<ExpressionPtr> items;
};
struct DictLiteral {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};
struct Attribute {
  ExpressionPtr object;
  std::string name;
};
struct Item {
  ExpressionPtr object, index;
};
struct Slice {
  ExpressionPtr object, start, stop, step;  // null: left out
};
struct Call {
  ExpressionPtr callee;
  CallArguments arguments;
};
struct FilterCall {
  ExpressionPtr input;  // null: the body of a filter block
  std::string name;
  CallArguments arguments;
};
struct TestCall {
  ExpressionPtr input;
  std::string name;
  CallArguments arguments;
};
struct Unary {
  enum class Operator { kNot, kMinus, kPlus };
  Operator op;
  ExpressionPtr operand;
};
struct Binary {
  std::string op;  // + - * / // % ** and or
  ExpressionPtr left, right;
};
struct Comparison {
  ExpressionPtr first;
  std::vector<std::pair<std::string, ExpressionPtr>> rest;  // == != < <= > >= in, not in; a < b < c
};
struct Concatenation {
  std::vector<ExpressionPtr> parts;
};
struct Conditional {
  ExpressionPtr test, yes, no;  // no: null if left out
};

struct Expression {
  Position at;
  std::variant<Constant, Name, ListLiteral, DictLiteral, Attribute, Item, Slice, Call, FilterCall, TestCall,
               Unary, Binary, Comparison, Concatenation, Conditional>
      node;
};

// Where an assignment goes: a name, an attribute of a namespace, or several of these.
struct Target {
  std::string name, attribute;  // attribute: empty if it is a plain name
  std::vector<Target> parts;    // not empty: unpacks
};

struct Data {
  std::string text;
};
struct Print {
  ExpressionPtr value;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};
struct For {
  Target target;
  ExpressionPtr items, filter;  // filter: null if left out
  Body body, otherwise;
  bool recursive = false;
};
struct Set {
  Target target;
  ExpressionPtr value;
};
struct SetBlock {
  Target target;
  ExpressionPtr filter;  // a chain of FilterCalls around the body; null: none
  Body body;
};
struct MacroDefinition {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Body body;
  bool reads_varargs = false, reads_kwargs = false, reads_caller = false;
};
struct CallBlock {
  ExpressionPtr call;  // holds a Call
  MacroDefinition caller;
};
struct FilterBlock {
  ExpressionPtr filter;
  Body body;
};
struct With {
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  Body body;
};
struct Group {  // {% generation %}: its body
  Body body;
};
struct Break {};
struct Continue {};

struct Statement {
  Position at;
  std::variant<Data, Print, If, For, Set, SetBlock, MacroDefinition, CallBlock, FilterBlock, With, Group,
               Break, Continue>
      node;
};

}  // namespace micius::jinja
