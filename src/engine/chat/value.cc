#include "engine/chat/value.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/chat/failure.h"

namespace micius::jinja {
namespace {

bool same_items(const std::vector<Value>& a, const std::vector<Value>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equals);
}

bool same_dicts(const DictItems& a, const DictItems& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const auto& item) {
    const Value* other = find(b, item.first);
    return other != nullptr && equals(item.second, *other);
  });
}

// Lists equal lists only, tuples tuples; the other kinds are equal if they are the same thing.
bool same_sequences(const Sequence& a, const Sequence& b) {
  if (a.items == b.items && a.kind == b.kind) return true;
  if (a.kind != b.kind || a.kind == Sequence::Kind::kGenerator) return false;
  return same_items(*a.items, *b.items);
}

Size grown(Size size, const Value& item) {
  const Size more = item.size();
  size.depth = std::max(size.depth, more.depth + 1);
  size.weight += more.weight + 2;
  size.pairs += more.pairs;
  if (size.depth > kMaxDepth) raise(FailureKind::kLimit, "a value nested deeper than {}", kMaxDepth);
  if (size.weight > kMaxWeight) raise(FailureKind::kLimit, "a value of more than {} bytes", kMaxWeight);
  return size;
}

}  // namespace

Value Object::call(Interpreter&, const Arguments&) {
  raise_type_error("'{}' object is not callable", type_name());
}

std::optional<Value> Object::attribute(Interpreter&, std::string_view) { return std::nullopt; }

Value Value::sequence(std::vector<Value> items, Sequence::Kind kind) {
  const Size size = size_of(items);
  return Value(Data(Sequence{kind, std::make_shared<const std::vector<Value>>(std::move(items)), size}));
}

Value Value::dict(DictItems items) {
  Size size;
  for (const auto& [key, value] : items) size = grown(grown(size, key), value);
  size.pairs += items.size() * items.size() / 16;  // a key is found by looking at all before it
  return Value(Data(Dict{std::make_shared<const DictItems>(std::move(items)), size}));
}

Size Value::size() const {
  if (is_text()) return {0, text().size() + 1, 0};
  if (const auto* sequence = get<Sequence>()) return sequence->size;
  if (const auto* dict = get<Dict>()) return dict->size;
  if (const auto* object = get<std::shared_ptr<Object>>()) return {(*object)->depth(), 8, 0};
  return {0, 8, 0};
}

Size size_of(const std::vector<Value>& items) {
  Size size;
  for (const Value& item : items) size = grown(size, item);
  return size;
}

Value Value::from_json(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value(json.get<bool>());
    case Json::value_t::number_integer:
      return Value(json.get<std::int64_t>());
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) return Value(json.get<double>());
      return Value(json.get<std::int64_t>());
    case Json::value_t::number_float:
      return Value(json.get<double>());
    case Json::value_t::string:
      return Value(json.get<std::string>());
    case Json::value_t::array: {
      std::vector<Value> items;
      for (const Json& item : json) items.push_back(from_json(item));
      return sequence(std::move(items));
    }
    case Json::value_t::object: {
      DictItems items;
      for (const auto& [key, value] : json.items()) items.emplace_back(Value(key), from_json(value));
      return dict(std::move(items));
    }
    default:
      return Value();
  }
}

std::optional<std::int64_t> Value::integer() const {
  if (const auto* b = get<bool>()) return *b ? 1 : 0;
  if (const auto* i = get<std::int64_t>()) return *i;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const auto* d = get<double>()) return *d;
  const auto i = integer();
  return i ? std::optional(static_cast<double>(*i)) : std::nullopt;
}

const std::vector<Value>* Value::list() const {
  const auto* sequence = get<Sequence>();
  return sequence == nullptr ? nullptr : sequence->items.get();
}

void raise_undefined(const Undefined& value) {
  throw Failure{value.unsafe ? FailureKind::kSecurity : FailureKind::kUndefined, *value.message, {}};
}

bool is_true(const Value& value) {
  if (value.is_undefined() || value.is_none()) return false;
  if (const auto* b = value.get<bool>()) return *b;
  if (const auto number = value.number()) return *number != 0;
  if (value.is_text()) return !value.text().empty();
  if (const auto* sequence = value.get<Sequence>())
    return sequence->kind == Sequence::Kind::kGenerator || !sequence->items->empty();
  if (const auto* dict = value.get<Dict>()) return !dict->items->empty();
  return true;
}

std::string type_name(const Value& value) {
  if (value.is_undefined()) return "Undefined";
  if (value.is_none()) return "NoneType";
  if (value.is<bool>()) return "bool";
  if (value.is<std::int64_t>()) return "int";
  if (value.is<double>()) return "float";
  if (value.is_text()) return "str";
  if (value.is<Dict>()) return "dict";
  if (const auto* sequence = value.get<Sequence>()) {
    static constexpr const char* kNames[] = {"list",      "tuple",       "range",     "generator",
                                             "dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<int>(sequence->kind)];
  }
  return std::string((*value.get<std::shared_ptr<Object>>())->type_name());
}

bool equals(const Value& a, const Value& b) {
  if (const auto x = a.integer(), y = b.integer(); x && y) return *x == *y;
  if (const auto x = a.number(), y = b.number(); x && y) return *x == *y;
  if (a.data().index() != b.data().index()) return false;
  if (a.is_undefined() || a.is_none()) return true;
  if (a.is_text()) return a.text() == b.text();
  if (const auto* x = a.get<Sequence>()) return same_sequences(*x, *b.get<Sequence>());
  if (const auto* x = a.get<Dict>()) return same_dicts(*x->items, *b.get<Dict>()->items);
  return *a.get<std::shared_ptr<Object>>() == *b.get<std::shared_ptr<Object>>();
}

bool less(const Value& a, const Value& b, const char* sign) {
  for (const Value* value : {&a, &b}) {
    if (const auto* undefined = value->get<Undefined>()) raise_undefined(*undefined);
  }
  if (const auto x = a.integer(), y = b.integer(); x && y) return *x < *y;
  if (const auto x = a.number(), y = b.number(); x && y) return *x < *y;
  if (a.is_text() && b.is_text()) return a.text() < b.text();
  const auto *x = a.get<Sequence>(), *y = b.get<Sequence>();
  const bool ordered = x != nullptr && y != nullptr && x->kind == y->kind &&
                       (x->kind == Sequence::Kind::kList || x->kind == Sequence::Kind::kTuple);
  if (!ordered) {
    raise_type_error("'{}' not supported between instances of '{}' and '{}'", sign, type_name(a),
                     type_name(b));
  }
  const std::size_t n = std::min(x->items->size(), y->items->size());
  for (std::size_t i = 0; i < n; ++i) {
    if (!equals((*x->items)[i], (*y->items)[i])) return less((*x->items)[i], (*y->items)[i], sign);
  }
  return x->items->size() < y->items->size();
}

bool contains(const Value& container, const Value& item) {
  if (container.is_text()) {
    if (const auto* undefined = item.get<Undefined>(); undefined != nullptr && undefined->unsafe)
      raise_undefined(*undefined);
    if (!item.is_text())
      raise_type_error("'in <string>' requires string as left operand, not {}", type_name(item));
    return container.text().find(item.text()) != std::string::npos;
  }
  if (container.is_undefined()) return false;
  if (const auto* dict = container.get<Dict>()) return find(*dict->items, item) != nullptr;
  const std::vector<Value>* items = container.list();
  if (items == nullptr) raise_type_error("argument of type '{}' is not iterable", type_name(container));
  return std::any_of(items->begin(), items->end(), [&](const Value& value) { return equals(value, item); });
}

std::vector<Value> items_of(const Value& value) {
  if (const auto* items = value.list()) return *items;
  std::vector<Value> out;
  if (const auto* undefined = value.get<Undefined>()) {
    if (undefined->unsafe) raise_undefined(*undefined);
    return out;
  }
  if (const auto* dict = value.get<Dict>()) {
    for (const auto& item : *dict->items) out.push_back(item.first);
    return out;
  }
  if (!value.is_text()) raise_type_error("'{}' object is not iterable", type_name(value));
  const std::string& text = value.text();
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    next_code_point(text, i);
    out.emplace_back(std::string_view(text).substr(start, i - start));
  }
  return out;
}

std::size_t length_of(const Value& value) {
  if (value.is_undefined()) return items_of(value).size();
  if (value.is_text()) return code_points(value.text());
  if (const auto* dict = value.get<Dict>()) return dict->items->size();
  const auto* sequence = value.get<Sequence>();
  if (sequence == nullptr || sequence->kind == Sequence::Kind::kGenerator)
    raise_type_error("object of type '{}' has no len()", type_name(value));
  return sequence->items->size();
}

const Value* find(const DictItems& dict, const Value& key) {
  for (const auto& item : dict) {
    if (equals(item.first, key)) return &item.second;
  }
  return nullptr;
}

}  // namespace micius::jinja
