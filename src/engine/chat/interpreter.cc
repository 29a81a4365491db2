#include "engine/chat/interpreter.h"

#include "engine/chat/objects.h"

namespace micius::jinja {

// A scope for as long as this lives, longer if a macro was defined in it.
class Interpreter::ScopeGuard {
 public:
  ScopeGuard(Interpreter& interpreter, Scope* parent)
      : interpreter_(interpreter), outer_(interpreter.scope_), scope_(std::make_unique<Scope>()) {
    scope_->parent = parent;
    interpreter_.scope_ = scope_.get();
  }
  ~ScopeGuard() {
    interpreter_.scope_ = outer_;
    if (scope_->kept) interpreter_.kept_.push_back(std::move(scope_));
  }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  Interpreter& interpreter_;
  Scope* outer_;
  std::unique_ptr<Scope> scope_;
};

Interpreter::Interpreter(StrftimeNow now) : now_(std::move(now)), globals_(make_globals()) {}

Interpreter::~Interpreter() {
  for (const auto& space : namespaces_) space->clear();
}

std::string Interpreter::render(const Body& body,
                                const std::vector<std::pair<std::string, Value>>& variables) {
  for (const auto& [name, value] : variables) globals_.insert_or_assign(name, value);
  const ScopeGuard root(*this, nullptr);
  execute(body);
  return std::move(output_);
}

void Interpreter::tick(std::uint64_t steps) {
  steps_ += steps;
  if (steps_ > kMaxSteps) raise(FailureKind::kLimit, "more than {} steps", kMaxSteps);
}

void Interpreter::write(std::string_view text) {
  tick_bytes(text.size());
  if (output_.size() + text.size() > kMaxOutput)
    raise(FailureKind::kLimit, "more than {} bytes of text", kMaxOutput);
  output_ += text;
}

std::string Interpreter::capture(const Body& body) {
  std::string outer = std::exchange(output_, {});
  execute(body);
  return std::exchange(output_, std::move(outer));
}

const Value* Interpreter::look_up(std::string_view name) const {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    const auto place = scope->names.find(name);
    if (place != scope->names.end()) return &place->second;
  }
  const auto place = globals_.find(name);
  return place == globals_.end() ? nullptr : &place->second;
}

Flow Interpreter::execute(const Body& body) {
  if (++depth_ > kMaxNesting) raise(FailureKind::kLimit, "nesting deeper than {}", kMaxNesting);
  Flow flow = Flow::kNext;
  for (const Statement& statement : body) {
    tick(1);
    at_ = statement.at;
    flow = std::visit([&](const auto& node) { return run(node); }, statement.node);
    if (flow != Flow::kNext) break;
  }
  --depth_;
  return flow;
}

Flow Interpreter::run(const Data& node) {
  write(node.text);
  return Flow::kNext;
}

Flow Interpreter::run(const Print& node) {
  write(to_text(evaluate(*node.value)));
  return Flow::kNext;
}

Flow Interpreter::run(const If& node) {
  for (const auto& [test, body] : node.branches) {
    if (is_true(evaluate(*test))) return execute(body);
  }
  return execute(node.otherwise);
}

Flow Interpreter::run(const For& node) {
  loop_over(node, evaluate(*node.items), 0);
  return Flow::kNext;
}

void Interpreter::loop_over(const For& node, const Value& value, int depth) {
  std::vector<Value> items = items_of(value);
  tick(items.size());
  if (node.filter) {
    std::vector<Value> kept;
    for (Value& item : items) {
      const ScopeGuard guard(*this, scope_);
      assign(node.target, item);
      if (is_true(evaluate(*node.filter))) kept.push_back(std::move(item));
    }
    items = std::move(kept);
  }
  if (items.empty()) {
    const ScopeGuard guard(*this, scope_);
    execute(node.otherwise);
    return;
  }
  const auto loop = std::make_shared<Loop>(node, scope_, items, depth);
  if (loop->depth() > kMaxDepth) raise(FailureKind::kLimit, "a value nested deeper than {}", kMaxDepth);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ScopeGuard guard(*this, scope_);
    loop->move_to(i);
    scope_->names.insert_or_assign("loop", Value::object(loop));
    assign(node.target, items[i]);
    if (execute(node.body) == Flow::kBreak) return;
  }
}

std::string Interpreter::run_loop_again(const For& loop, Scope* around, const Value& items, int depth) {
  if (depth_ + 1 > kMaxNesting) raise(FailureKind::kLimit, "nesting deeper than {}", kMaxNesting);
  const ScopeGuard guard(*this, around);
  std::string outer = std::exchange(output_, {});
  loop_over(loop, items, depth);
  return std::exchange(output_, std::move(outer));
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.parts.empty()) {
    const bool iterable = !value.is_none() && !value.number() && !value.is<std::shared_ptr<Object>>();
    if (!iterable) raise_type_error("cannot unpack non-iterable {} object", type_name(value));
    const std::vector<Value> items = items_of(value);
    if (items.size() != target.parts.size()) {
      raise_python("ValueError", "{} values to unpack (expected {}, got {})",
                   items.size() < target.parts.size() ? "not enough" : "too many", target.parts.size(),
                   items.size());
    }
    for (std::size_t i = 0; i < items.size(); ++i) assign(target.parts[i], items[i]);
  } else if (target.attribute.empty()) {
    scope_->names.insert_or_assign(target.name, value);
  } else {
    const Value* object = look_up(target.name);
    const auto* held = object == nullptr ? nullptr : object->get<std::shared_ptr<Object>>();
    auto* space = held == nullptr ? nullptr : dynamic_cast<Namespace*>(held->get());
    if (space == nullptr) raise(FailureKind::kRaise, "cannot assign attribute on non-namespace object");
    space->set(target.attribute, value);
  }
}

Flow Interpreter::run(const Set& node) {
  assign(node.target, evaluate(*node.value));
  return Flow::kNext;
}

Flow Interpreter::run(const SetBlock& node) {
  std::string text;
  {
    const ScopeGuard guard(*this, scope_);
    text = capture(node.body);
  }
  assign(node.target, apply_filters(node.filter.get(), Value(std::move(text))));
  return Flow::kNext;
}

Flow Interpreter::run(const FilterBlock& node) {
  std::string text;
  {
    const ScopeGuard guard(*this, scope_);
    text = capture(node.body);
  }
  write(to_text(apply_filters(node.filter.get(), Value(std::move(text)))));
  return Flow::kNext;
}

// A chain of filters whose innermost input is `input`.
Value Interpreter::apply_filters(const Expression* chain, Value input) {
  if (chain == nullptr) return input;
  const auto& node = std::get<FilterCall>(chain->node);
  return filter(node.name, apply_filters(node.input.get(), std::move(input)), evaluate(node.arguments));
}

Value Interpreter::make_macro(const MacroDefinition& macro) {
  for (Scope* scope = scope_; scope != nullptr && !scope->kept; scope = scope->parent) scope->kept = true;
  return Value::object(std::make_shared<Macro>(macro, scope_));
}

Flow Interpreter::run(const MacroDefinition& node) {
  scope_->names.insert_or_assign(node.name, make_macro(node));
  return Flow::kNext;
}

Flow Interpreter::run(const CallBlock& node) {
  const auto& call_node = std::get<Call>(node.call->node);
  const Value callee = evaluate(*call_node.callee);
  Arguments arguments = evaluate(call_node.arguments);
  arguments.named.emplace_back("caller", make_macro(node.caller));
  write(to_text(call(callee, arguments)));
  return Flow::kNext;
}

std::string Interpreter::run_macro(const MacroDefinition& macro, Scope* around, const Arguments& arguments) {
  const ScopeGuard guard(*this, around);
  bind(macro, arguments);
  return capture(macro.body);
}

void Interpreter::bind(const MacroDefinition& macro, const Arguments& arguments) {
  auto& names = scope_->names;
  std::vector<Value> more;
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    if (i < macro.parameters.size()) {
      names.insert_or_assign(macro.parameters[i], arguments.positional[i]);
    } else {
      more.push_back(arguments.positional[i]);
    }
  }
  if (!more.empty() && !macro.reads_varargs)
    raise_type_error("macro '{}' takes not more than {} argument(s)", macro.name, macro.parameters.size());
  DictItems more_named;
  for (const auto& [name, value] : arguments.named) {
    tick(macro.parameters.size() / 16);
    const bool is_parameter =
        std::find(macro.parameters.begin(), macro.parameters.end(), name) != macro.parameters.end();
    if (is_parameter || (name == "caller" && macro.reads_caller)) {
      if (!names.try_emplace(name, value).second)
        raise_type_error("macro '{}' got several values for '{}'", macro.name, name);
    } else if (macro.reads_kwargs) {
      more_named.emplace_back(Value(name), value);
    } else {
      raise_type_error("macro '{}' takes no keyword argument '{}'", macro.name, name);
    }
  }
  const std::size_t first_default = macro.parameters.size() - macro.defaults.size();
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const std::string& name = macro.parameters[i];
    if (names.count(name) > 0) continue;
    names.insert_or_assign(name, i < first_default
                                     ? Value::undefined(fmt::format("parameter '{}' was not provided", name))
                                     : evaluate(*macro.defaults[i - first_default]));
  }
  if (macro.reads_varargs)
    names.try_emplace("varargs", Value::sequence(std::move(more), Sequence::Kind::kTuple));
  if (macro.reads_kwargs) names.try_emplace("kwargs", Value::dict(std::move(more_named)));
  if (macro.reads_caller) names.try_emplace("caller", Value::undefined("No caller defined"));
}

Flow Interpreter::run(const With& node) {
  std::vector<Value> values;
  for (const auto& [target, value] : node.assignments) values.push_back(evaluate(*value));
  const ScopeGuard guard(*this, scope_);
  for (std::size_t i = 0; i < values.size(); ++i) assign(node.assignments[i].first, values[i]);
  return execute(node.body);
}

Flow Interpreter::run(const Group& node) { return execute(node.body); }

}  // namespace micius::jinja
