#include "engine/chat/objects.h"

#include <algorithm>
#include <cstring>

#include "engine/chat/failure.h"

namespace micius::jinja {

Value BoundMethod::call(Interpreter& interpreter, const Arguments& arguments) {
  // A dict's methods look at keys, the others at all that is there.
  const auto* dict = self_.get<Dict>();
  interpreter.tick(dict != nullptr ? dict->items->size() / 8 : self_.size().steps());
  return method_(interpreter, self_, arguments);
}

std::optional<Value> Namespace::attribute(Interpreter&, std::string_view name) {
  const auto place = values_.find(name);
  return place == values_.end() ? std::nullopt : std::optional(place->second);
}

void Namespace::set(const std::string& name, Value value) {
  if (name.substr(0, 1) == "_") {
    raise(FailureKind::kSecurity,
          "Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{}'. Please "
          "rename "
          "the attribute.",
          name);
  }
  values_.insert_or_assign(name, std::move(value));
}

std::optional<Value> Macro::attribute(Interpreter&, std::string_view name) {
  if (name == "name") return Value(definition_.name);
  return std::nullopt;
}

Value Loop::call(Interpreter& interpreter, const Arguments& arguments) {
  if (!node_.recursive)
    raise_type_error("The loop must have the 'recursive' marker to be called recursively.");
  const Bound bound("loop", arguments, {"iterable"}, 1);
  return Value(interpreter.run_loop_again(node_, around_, bound[0], level_ + 1));
}

namespace {

Value call_cycle(Interpreter&, const Value& self, const Arguments& arguments) {
  return dynamic_cast<Loop&>(**self.get<std::shared_ptr<Object>>()).cycle(arguments.positional);
}

Value call_changed(Interpreter&, const Value& self, const Arguments& arguments) {
  return Value(dynamic_cast<Loop&>(**self.get<std::shared_ptr<Object>>()).changed(arguments.positional));
}

Value call_next(Interpreter&, const Value& self, const Arguments&) {
  return dynamic_cast<Cycler&>(**self.get<std::shared_ptr<Object>>()).next();
}

Value method_of(std::shared_ptr<Object> self, Method method) {
  return Value::object(std::make_shared<BoundMethod>(Value::object(std::move(self)), method));
}

}  // namespace

std::optional<Value> Loop::attribute(Interpreter&, std::string_view name) {
  const std::size_t n = items_.size();
  if (name == "index") return Value::count(index_ + 1);
  if (name == "index0") return Value::count(index_);
  if (name == "revindex") return Value::count(n - index_);
  if (name == "revindex0") return Value::count(n - index_ - 1);
  if (name == "first") return Value(index_ == 0);
  if (name == "last") return Value(index_ + 1 == n);
  if (name == "length") return Value::count(n);
  if (name == "depth") return Value(std::int64_t{level_ + 1});
  if (name == "depth0") return Value(std::int64_t{level_});
  if (name == "previtem")
    return index_ > 0 ? items_[index_ - 1] : Value::undefined("there is no previous item");
  if (name == "nextitem")
    return index_ + 1 < n ? items_[index_ + 1] : Value::undefined("there is no next item");
  if (name == "cycle") return method_of(shared_from_this(), call_cycle);
  if (name == "changed") return method_of(shared_from_this(), call_changed);
  return std::nullopt;
}

Value Loop::cycle(const std::vector<Value>& values) const {
  if (values.empty()) raise_type_error("no items for cycling given");
  return values[index_ % values.size()];
}

bool Loop::changed(const std::vector<Value>& values) {
  std::string printed = to_repr(Value::sequence(values));
  const bool same = last_ == printed;
  last_ = std::move(printed);
  return !same;
}

std::optional<Value> Cycler::attribute(Interpreter&, std::string_view name) {
  if (name == "current") return items_[place_];
  if (name == "next") return method_of(shared_from_this(), call_next);
  return std::nullopt;
}

Value Cycler::next() {
  Value value = items_[place_];
  place_ = (place_ + 1) % items_.size();
  return value;
}

Value Joiner::call(Interpreter&, const Arguments&) {
  return Value(std::exchange(used_, true) ? separator_ : std::string());
}

Value unsafe_attribute(const Value& object, std::string_view name) {
  return Value(Value::Data(
      Undefined{std::make_shared<const std::string>(fmt::format(
                    "access to attribute '{}' of '{}' object is unsafe.", name, type_name(object))),
                true}));
}

Bound::Bound(std::string_view function, const Arguments& arguments, std::initializer_list<const char*> names,
             std::size_t required)
    : function_(function), values_(names.size(), nullptr) {
  if (arguments.positional.size() > names.size()) {
    raise_type_error("{}() takes at most {} arguments ({} given)", function, names.size(),
                     arguments.positional.size());
  }
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& argument : arguments.named) {
    const auto& [name, value] = argument;
    const auto place = std::find(names.begin(), names.end(), name);
    if (place == names.end())
      raise_type_error("{}() got an unexpected keyword argument '{}'", function, name);
    const Value*& slot = values_[static_cast<std::size_t>(place - names.begin())];
    if (slot != nullptr) raise_type_error("{}() got multiple values for argument '{}'", function, name);
    slot = &value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (values_[i] == nullptr)
      raise_type_error("{}() missing required argument: '{}'", function, *(names.begin() + i));
  }
}

std::int64_t Bound::integer_or(std::size_t i, std::int64_t fallback) const {
  if (!has(i)) return fallback;
  const auto integer = values_[i]->integer();
  if (!integer)
    raise_type_error("{}(): '{}' object cannot be interpreted as an integer", function_,
                     type_name(*values_[i]));
  return *integer;
}

bool Bound::boolean_or(std::size_t i, bool fallback) const {
  return has(i) ? is_true(*values_[i]) : fallback;
}

std::string Bound::text_or(std::size_t i, const std::string& fallback) const {
  return has(i) ? to_text(*values_[i]) : fallback;
}

const std::string& Bound::text(std::size_t i) const {
  if (!values_[i]->is_text())
    raise_type_error("{}() argument must be str, not {}", function_, type_name(*values_[i]));
  return values_[i]->text();
}

}  // namespace micius::jinja
