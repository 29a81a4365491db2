// Expressions.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/chat/filters.h"
#include "engine/chat/interpreter.h"
#include "engine/chat/objects.h"
#include "engine/chat/operators.h"

namespace micius::jinja {

Value Interpreter::evaluate(const Expression& expression) {
  tick(1);
  if (++depth_ > kMaxNesting) raise(FailureKind::kLimit, "nesting deeper than {}", kMaxNesting);
  const Position outer = at_;  // stays at the failing place if something is thrown
  at_ = expression.at;
  Value value = std::visit([&](const auto& node) { return run(node); }, expression.node);
  at_ = outer;
  --depth_;
  return value;
}

Value Interpreter::run(const Constant& node) { return node.value; }

Value Interpreter::run(const Name& node) {
  const Value* value = look_up(node.name);
  return value != nullptr ? *value : Value::undefined(fmt::format("'{}' is undefined", node.name));
}

Value Interpreter::run(const ListLiteral& node) {
  std::vector<Value> items;
  for (const ExpressionPtr& item : node.items) items.push_back(evaluate(*item));
  return Value::sequence(std::move(items), node.kind);
}

Value Interpreter::run(const DictLiteral& node) {
  DictItems items;
  for (const auto& [key, value] : node.items) {
    Value k = evaluate(*key);
    set_item(*this, items, std::move(k), evaluate(*value));
  }
  return Value::dict(std::move(items));
}

Value Interpreter::run(const Attribute& node) { return attribute(evaluate(*node.object), node.name); }

Value Interpreter::run(const Item& node) {
  const Value object = evaluate(*node.object);
  return item(object, evaluate(*node.index));
}

Value Interpreter::run(const Slice& node) {
  const Value object = evaluate(*node.object);
  std::optional<std::int64_t> bounds[3];
  const Expression* parts[3] = {node.start.get(), node.stop.get(), node.step.get()};
  for (std::size_t i = 0; i < 3; ++i) {
    if (parts[i] == nullptr) continue;
    const Value bound = evaluate(*parts[i]);
    if (bound.is_none()) continue;
    bounds[i] = bound.integer();
    if (!bounds[i]) raise_type_error("slice indices must be integers or None or have an __index__ method");
  }
  tick_bytes(object.is_text() ? object.text().size() : 0);
  return slice(object, bounds[0], bounds[1], bounds[2]);
}

Arguments Interpreter::evaluate(const CallArguments& arguments) {
  Arguments out;
  for (const ExpressionPtr& value : arguments.positional) out.positional.push_back(evaluate(*value));
  if (arguments.more_positional) {
    for (Value& value : items_of(evaluate(*arguments.more_positional)))
      out.positional.push_back(std::move(value));
  }
  for (const auto& [name, value] : arguments.named) out.named.emplace_back(name, evaluate(*value));
  if (arguments.more_named) {
    const Value more = evaluate(*arguments.more_named);
    const auto* dict = more.get<Dict>();
    if (dict == nullptr) raise_type_error("argument after ** must be a mapping, not {}", type_name(more));
    for (const auto& [name, value] : *dict->items) out.named.emplace_back(to_text(name), value);
  }
  return out;
}

Value Interpreter::run(const Call& node) {
  const Value callee = evaluate(*node.callee);
  return call(callee, evaluate(node.arguments));
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  if (const auto* undefined = callee.get<Undefined>()) raise_undefined(*undefined);
  const auto* object = callee.get<std::shared_ptr<Object>>();
  if (object == nullptr) raise_type_error("'{}' object is not callable", type_name(callee));
  for (const Value& argument : arguments.positional) tick(argument.size().weight / 256 + 1);
  Value result = (*object)->call(*this, arguments);
  tick_bytes(result.size().weight / 4);
  return result;
}

Value Interpreter::filter(std::string_view name, const Value& input, const Arguments& arguments) {
  const Filter function = find_filter(name);
  if (function == nullptr) {
    if (filter_coverage(name) == Coverage::kKnown) raise(FailureKind::kUnsupported, "the filter '{}'", name);
    raise(FailureKind::kSyntax, "No filter named '{}'.", name);
  }
  if (const auto* undefined = input.get<Undefined>(); undefined != nullptr && undefined->unsafe)
    raise_undefined(*undefined);
  tick(input.size().weight / 256 + 1);
  Value result = function(*this, input, arguments);
  tick_bytes(result.size().weight / 4);
  return result;
}

bool Interpreter::test(std::string_view name, const Value& input, const Arguments& arguments) {
  const Test* rule = find_test(name);
  if (rule == nullptr) raise(FailureKind::kSyntax, "No test named '{}'.", name);
  tick(input.is_text() ? input.text().size() / 64 + 1 : 1);
  for (const Value& operand : arguments.positional)
    tick(std::min(input.size().steps(), operand.size().steps()));
  if (name == "in" && !arguments.positional.empty()) tick(arguments.positional[0].size().steps());
  if (arguments.positional.size() != rule->operands || !arguments.named.empty())
    raise_type_error("the test '{}' takes {} operands", name, rule->operands);
  return rule->function(input, rule->operands == 1 ? arguments.positional[0] : Value());
}

Value Interpreter::run(const FilterCall& node) {
  const Value input = evaluate(*node.input);
  return filter(node.name, input, evaluate(node.arguments));
}

Value Interpreter::run(const TestCall& node) {
  const Value input = evaluate(*node.input);
  return Value(test(node.name, input, evaluate(node.arguments)));
}

Value Interpreter::run(const Unary& node) {
  const Value operand = evaluate(*node.operand);
  if (node.op == Unary::Operator::kNot) return Value(!is_true(operand));
  return signed_value(node.op == Unary::Operator::kMinus ? "-" : "+", operand);
}

Value Interpreter::run(const Binary& node) {
  Value left = evaluate(*node.left);
  if (node.op == "and") return is_true(left) ? evaluate(*node.right) : left;
  if (node.op == "or") return is_true(left) ? left : evaluate(*node.right);
  Value result = arithmetic(*this, node.op, left, evaluate(*node.right));
  tick_bytes(result.size().weight);
  return result;
}

bool Interpreter::compare(const std::string& op, const Value& left, const Value& right) {
  tick(std::min(left.size().steps(), right.size().steps()));
  if (op == "==") return equals(left, right);
  if (op == "!=") return !equals(left, right);
  if (op == "in" || op == "not in") {
    tick(right.size().steps());
    return contains(right, left) == (op == "in");
  }
  if (op == "<") return less(left, right);
  if (op == ">") return less(right, left, ">");
  const bool same = equals(left, right);
  const bool lower = op == "<=" ? less(left, right, "<=") : less(right, left, ">=");
  return same || lower;
}

Value Interpreter::run(const Comparison& node) {
  Value left = evaluate(*node.first);
  for (const auto& [op, expression] : node.rest) {
    Value right = evaluate(*expression);
    if (!compare(op, left, right)) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Interpreter::run(const Concatenation& node) {
  std::string text;
  for (const ExpressionPtr& part : node.parts) {
    text += to_text(evaluate(*part));
    if (text.size() > kMaxOutput) raise(FailureKind::kLimit, "a text of more than {} bytes", kMaxOutput);
  }
  tick_bytes(text.size());
  return Value(std::move(text));
}

Value Interpreter::run(const Conditional& node) {
  if (is_true(evaluate(*node.test))) return evaluate(*node.yes);
  if (node.no) return evaluate(*node.no);
  return Value::undefined("the inline if-expression evaluated to false and no else section was defined");
}

Value Interpreter::attribute(const Value& object, std::string_view name) {
  if (const auto* undefined = object.get<Undefined>()) raise_undefined(*undefined);
  if (const auto* held = object.get<std::shared_ptr<Object>>()) {
    if (auto value = (*held)->attribute(*this, name)) return *std::move(value);
  }
  if (auto method = find_method(object, name)) return *std::move(method);
  if (const auto* dict = object.get<Dict>()) {
    tick(dict->items->size() / 8);
    if (const Value* value = find(*dict->items, Value(name))) return *value;
  }
  if (name.substr(0, 1) == "_") return unsafe_attribute(object, name);
  const std::string owner = object.is_none() ? "None" : type_name(object) + " object";
  return Value::undefined(fmt::format("'{}' has no attribute '{}'", owner, name));
}

Value Interpreter::item(const Value& object, const Value& index) {
  if (const auto* undefined = object.get<Undefined>()) raise_undefined(*undefined);
  if (const auto* dict = object.get<Dict>()) {
    tick(dict->items->size() / 8);
    if (const Value* value = find(*dict->items, index)) return *value;
  } else if (const auto place = index.integer()) {
    tick(object.is_text() ? object.text().size() / 64 : 0);
    if (auto value = element(object, *place)) return *std::move(value);
  }
  if (!index.is_text()) {
    const std::string owner = object.is_none() ? "None" : type_name(object) + " object";
    return Value::undefined(fmt::format("{} has no element {}", owner, to_repr(index)));
  }
  return attribute(object, index.text());
}

}  // namespace micius::jinja
