// Things in a template that are called or that change: functions, methods, namespaces, macros, loops.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/chat/interpreter.h"
#include "engine/chat/value.h"

namespace micius::jinja {

using Native = Value (*)(Interpreter&, const Arguments&);
using Method = Value (*)(Interpreter&, const Value& self, const Arguments&);

class NativeFunction final : public Object {
 public:
  explicit NativeFunction(Native function) : function_(function) {}
  std::string_view type_name() const override { return "function"; }
  bool callable() const override { return true; }
  Value call(Interpreter& interpreter, const Arguments& arguments) override {
    return function_(interpreter, arguments);
  }

 private:
  Native function_;
};

class BoundMethod final : public Object {
 public:
  BoundMethod(Value self, Method method)
      : Object(self.size().depth + 1), self_(std::move(self)), method_(method) {}
  std::string_view type_name() const override { return "builtin_function_or_method"; }
  bool callable() const override { return true; }
  Value call(Interpreter& interpreter, const Arguments& arguments) override;

 private:
  Value self_;
  Method method_;
};

// namespace(): the one thing that a template may change.
class Namespace final : public Object {
 public:
  std::string_view type_name() const override { return "Namespace"; }
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  void set(const std::string& name, Value value);  // a security failure for a name that begins with _
  void clear() { values_.clear(); }

 private:
  std::map<std::string, Value, std::less<>> values_;
};

class Macro final : public Object {
 public:
  Macro(const MacroDefinition& definition, Scope* around) : definition_(definition), around_(around) {}
  std::string_view type_name() const override { return "Macro"; }
  bool callable() const override { return true; }
  Value call(Interpreter& interpreter, const Arguments& arguments) override {
    return Value(interpreter.run_macro(definition_, around_, arguments));
  }
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;

 private:
  const MacroDefinition& definition_;
  Scope* around_;
};

// The variable `loop`.
class Loop final : public Object, public std::enable_shared_from_this<Loop> {
 public:
  Loop(const For& node, Scope* around, const std::vector<Value>& items, int level)
      : Object(size_of(items).depth + 1), node_(node), around_(around), items_(items), level_(level) {}
  std::string_view type_name() const override { return "LoopContext"; }
  bool callable() const override { return node_.recursive; }
  Value call(Interpreter& interpreter, const Arguments& arguments) override;
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  void move_to(std::size_t index) { index_ = index; }
  Value cycle(const std::vector<Value>& values) const;
  bool changed(const std::vector<Value>& values);

 private:
  const For& node_;
  Scope* around_;
  std::vector<Value> items_;
  int level_;  // of recursion, from 0
  std::size_t index_ = 0;
  std::optional<std::string> last_;  // what changed() saw, printed
};

class Cycler final : public Object, public std::enable_shared_from_this<Cycler> {
 public:
  explicit Cycler(std::vector<Value> items) : Object(size_of(items).depth + 1), items_(std::move(items)) {}
  std::string_view type_name() const override { return "Cycler"; }
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;
  Value next();

 private:
  std::vector<Value> items_;
  std::size_t place_ = 0;
};

class Joiner final : public Object {
 public:
  explicit Joiner(std::string separator) : separator_(std::move(separator)) {}
  std::string_view type_name() const override { return "Joiner"; }
  bool callable() const override { return true; }
  Value call(Interpreter&, const Arguments&) override;

 private:
  std::string separator_;
  bool used_ = false;
};

// The method `name` of a text, sequence or dict. Absent if Python has none; an Undefined that the sandbox
// hides for one that changes its object.
std::optional<Value> find_method(const Value& self, std::string_view name);

// The global functions: range, namespace, dict, raise_exception, ...
std::map<std::string, Value, std::less<>> make_globals();

// What the sandbox hides.
Value unsafe_attribute(const Value& object, std::string_view name);

// A callable's arguments by position or name, as Python binds them.
class Bound {
 public:
  // TypeError for too many, unknown or (of the first `required`) missing ones.
  Bound(std::string_view function, const Arguments& arguments, std::initializer_list<const char*> names,
        std::size_t required = 0);

  bool has(std::size_t i) const {
    return values_[i] != nullptr && !values_[i]->is_none();
  }                                                                     // given and not None
  const Value& operator[](std::size_t i) const { return *values_[i]; }  // needs has(i)
  std::int64_t integer_or(std::size_t i, std::int64_t fallback) const;
  bool boolean_or(std::size_t i, bool fallback) const;
  std::string text_or(std::size_t i, const std::string& fallback) const;  // str() of anything
  const std::string& text(std::size_t i) const;                           // TypeError if it is no text

 private:
  std::string function_;
  std::vector<const Value*> values_;
};

}  // namespace micius::jinja
