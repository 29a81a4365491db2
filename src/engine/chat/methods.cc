// Methods of dicts and sequences, and the way to all methods.
#include <algorithm>
#include <iterator>

#include "engine/chat/failure.h"
#include "engine/chat/objects.h"
#include "engine/chat/operators.h"
#include "engine/chat/text_methods.h"

namespace micius::jinja {
namespace {

const DictItems& dict_of(const Value& self) { return *self.get<Dict>()->items; }

template <Sequence::Kind kind>
Value view_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("items", arguments, {});
  std::vector<Value> out;
  for (const auto& [key, value] : dict_of(self)) {
    if (kind == Sequence::Kind::kItems) {
      out.push_back(Value::sequence({key, value}, Sequence::Kind::kTuple));
    } else {
      out.push_back(kind == Sequence::Kind::kKeys ? key : value);
    }
  }
  return Value::sequence(std::move(out), kind);
}

Value get_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("get", arguments, {"key", "default"}, 1);
  const Value* value = find(dict_of(self), bound[0]);
  if (value != nullptr) return *value;
  return bound.has(1) ? bound[1] : Value();
}

Value copy_method(Interpreter&, const Value& self, const Arguments&) { return self; }

Value count_items(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("count", arguments, {"value"}, 1);
  const auto& items = *self.list();
  return Value::count(static_cast<std::size_t>(
      std::count_if(items.begin(), items.end(), [&](const Value& item) { return equals(item, bound[0]); })));
}

Value index_of_item(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("index", arguments, {"value"}, 1);
  const auto& items = *self.list();
  const auto place =
      std::find_if(items.begin(), items.end(), [&](const Value& item) { return equals(item, bound[0]); });
  if (place == items.end()) raise_python("ValueError", "the value is not in the list");
  return Value::count(static_cast<std::size_t>(place - items.begin()));
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Method find_dict_method(std::string_view name) {
  if (name == "items") return view_method<Sequence::Kind::kItems>;
  if (name == "keys") return view_method<Sequence::Kind::kKeys>;
  if (name == "values") return view_method<Sequence::Kind::kValues>;
  if (name == "get") return get_method;
  if (name == "copy") return copy_method;
  return nullptr;
}

}  // namespace

std::optional<Value> find_method(const Value& self, std::string_view name) {
  Method method = nullptr;
  const auto* sequence = self.get<Sequence>();
  if (self.is_text()) {
    method = find_text_method(name);
  } else if (self.is<Dict>()) {
    if (is_one_of(name, {"clear", "pop", "popitem", "setdefault", "update"}))
      return unsafe_attribute(self, name);
    method = find_dict_method(name);
  } else if (sequence != nullptr && sequence->kind <= Sequence::Kind::kTuple) {
    const bool is_list = sequence->kind == Sequence::Kind::kList;
    if (is_list &&
        is_one_of(name, {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}))
      return unsafe_attribute(self, name);
    if (name == "count") method = count_items;
    if (name == "index") method = index_of_item;
    if (name == "copy" && is_list) method = copy_method;
  }
  if (method == nullptr) return std::nullopt;
  return Value::object(std::make_shared<BoundMethod>(self, method));
}

}  // namespace micius::jinja
