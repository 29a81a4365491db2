// Filters over the items of a sequence.
#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "engine/chat/failure.h"
#include "engine/chat/filters.h"
#include "engine/chat/operators.h"
#include "engine/chat/unicode_case.h"

namespace micius::jinja {
namespace {

Value generator(std::vector<Value> items) {
  return Value::sequence(std::move(items), Sequence::Kind::kGenerator);
}

// item.a.0.b, as attribute='a.0.b' asks for it.
Value attribute_path(Interpreter& interpreter, Value value, const Value& path) {
  if (path.integer()) return interpreter.item(value, path);
  const std::string text = to_text(path);
  for (const std::string_view part : split(text, '.')) {
    const bool number = !part.empty() && part.size() < 10 &&
                        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    value = interpreter.item(
        value, number ? Value(static_cast<std::int64_t>(std::stol(std::string(part)))) : Value(part));
  }
  return value;
}

// Texts compare without case unless asked.
Value sort_key(Interpreter& interpreter, const Value& item, const Value* path, bool case_sensitive) {
  Value key = path != nullptr ? attribute_path(interpreter, item, *path) : item;
  return !case_sensitive && key.is_text() ? Value(lower(key.text())) : key;
}

using Keyed = std::pair<Value, Value>;  // key, item

std::vector<Keyed> keyed_items(Interpreter& interpreter, const Value& input, const Value* path,
                               bool case_sensitive) {
  std::vector<Keyed> keyed;
  for (Value& item : items_of(input)) {
    Value key = sort_key(interpreter, item, path, case_sensitive);
    interpreter.tick_bytes(key.size().weight);
    keyed.emplace_back(std::move(key), std::move(item));
  }
  return keyed;
}

// Stable. What has no order is found in a first pass, for a comparison that throws must not reach the sort.
void sort_keyed(Interpreter& interpreter, std::vector<Keyed>& keyed, bool reverse) {
  for (std::size_t i = 1; i < keyed.size(); ++i) less(keyed[0].first, keyed[i].first);
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    interpreter.tick(std::min(a.first.size().weight, b.first.size().weight) / 64 + 1);
    return reverse ? less(b.first, a.first) : less(a.first, b.first);
  });
}

Value sort_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  auto keyed =
      keyed_items(interpreter, input, bound.has(2) ? &bound[2] : nullptr, bound.boolean_or(1, false));
  sort_keyed(interpreter, keyed, bound.boolean_or(0, false));
  std::vector<Value> items;
  for (Keyed& entry : keyed) items.push_back(std::move(entry.second));
  return Value::sequence(std::move(items));
}

Value dictsort_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const auto* dict = input.get<Dict>();
  if (dict == nullptr) raise_type_error("'{}' object is no mapping", type_name(input));
  const bool by_value = bound.text_or(1, "key") == "value";
  std::vector<Keyed> keyed;
  for (const auto& [key, value] : *dict->items) {
    keyed.emplace_back(sort_key(interpreter, by_value ? value : key, nullptr, bound.boolean_or(0, false)),
                       Value::sequence({key, value}, Sequence::Kind::kTuple));
  }
  sort_keyed(interpreter, keyed, bound.boolean_or(2, false));
  std::vector<Value> items;
  for (Keyed& entry : keyed) items.push_back(std::move(entry.second));
  return Value::sequence(std::move(items));
}

Value unique_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("unique", arguments, {"case_sensitive", "attribute"});
  std::vector<Value> items, seen;
  for (auto& [key, item] :
       keyed_items(interpreter, input, bound.has(1) ? &bound[1] : nullptr, bound.boolean_or(0, false))) {
    interpreter.tick(seen.size() * key.size().steps());
    const Value& k = key;
    if (std::any_of(seen.begin(), seen.end(), [&](const Value& other) { return equals(other, k); })) continue;
    seen.push_back(key);
    items.push_back(std::move(item));
  }
  return generator(std::move(items));
}

Value groupby_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("groupby", arguments, {"attribute"}, 1);
  auto keyed = keyed_items(interpreter, input, &bound[0], true);
  sort_keyed(interpreter, keyed, false);
  std::vector<Value> groups;
  for (std::size_t i = 0; i < keyed.size();) {
    const Value key = keyed[i].first;
    std::vector<Value> items;
    for (; i < keyed.size() && equals(keyed[i].first, key); ++i) items.push_back(std::move(keyed[i].second));
    groups.push_back(Value::sequence({key, Value::sequence(std::move(items))}, Sequence::Kind::kTuple));
  }
  return Value::sequence(std::move(groups));
}

template <bool want_greatest>
Value extreme_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("max", arguments, {"case_sensitive", "attribute"});
  const auto keyed =
      keyed_items(interpreter, input, bound.has(1) ? &bound[1] : nullptr, bound.boolean_or(0, false));
  if (keyed.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  const Keyed* best = &keyed[0];
  for (const Keyed& entry : keyed) {
    if (want_greatest ? less(best->first, entry.first) : less(entry.first, best->first)) best = &entry;
  }
  return best->second;
}

Value sum_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("sum", arguments, {"attribute", "start"});
  Value total = bound.has(1) ? bound[1] : Value(std::int64_t{0});
  for (const Value& item : items_of(input)) {
    total = arithmetic(interpreter, "+", total,
                       bound.has(0) ? attribute_path(interpreter, item, bound[0]) : item);
    interpreter.tick_bytes(total.size().weight);
  }
  return total;
}

Value length_filter(Interpreter&, const Value& input, const Arguments&) {
  return Value::count(length_of(input));
}

Value first_filter(Interpreter&, const Value& input, const Arguments&) {
  const std::vector<Value> items = items_of(input);
  return items.empty() ? Value::undefined("No first item, sequence was empty.") : items.front();
}

Value last_filter(Interpreter&, const Value& input, const Arguments&) {
  const auto* sequence = input.get<Sequence>();
  if (sequence != nullptr && sequence->kind == Sequence::Kind::kGenerator)
    raise_type_error("'generator' object is not reversible");
  const std::vector<Value> items = items_of(input);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

Value list_filter(Interpreter&, const Value& input, const Arguments&) {
  return Value::sequence(items_of(input));
}

Value reverse_filter(Interpreter&, const Value& input, const Arguments&) {
  if (input.is_text()) return slice(input, std::nullopt, std::nullopt, -1);
  std::vector<Value> items = items_of(input);
  std::reverse(items.begin(), items.end());
  return generator(std::move(items));
}

Value join_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("join", arguments, {"d", "attribute"});
  const std::string between = bound.text_or(0, "");
  std::string out;
  bool is_first = true;
  for (const Value& item : items_of(input)) {
    if (!is_first) out += between;
    is_first = false;
    out += to_text(bound.has(1) ? attribute_path(interpreter, item, bound[1]) : item);
    interpreter.tick_bytes(between.size() + item.size().weight);
  }
  return Value(std::move(out));
}

Value items_filter(Interpreter&, const Value& input, const Arguments&) {
  std::vector<Value> items;
  if (input.is_undefined()) return generator(std::move(items));
  const auto* dict = input.get<Dict>();
  if (dict == nullptr) raise_type_error("Can only get item pairs from a mapping.");
  for (const auto& [key, value] : *dict->items)
    items.push_back(Value::sequence({key, value}, Sequence::Kind::kTuple));
  return generator(std::move(items));
}

Value attr_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("attr", arguments, {"name"}, 1);
  if (input.is<Dict>()) {
    if (auto method = find_method(input, bound.text(0))) return *std::move(method);
    return Value::undefined(fmt::format("'dict object' has no attribute '{}'", bound.text(0)));
  }
  return interpreter.attribute(input, bound.text(0));
}

// The arguments behind the first `n`.
Arguments rest_of(const Arguments& arguments, std::size_t n) {
  Arguments rest = arguments;
  rest.positional.erase(
      rest.positional.begin(),
      rest.positional.begin() + static_cast<std::ptrdiff_t>(std::min(n, rest.positional.size())));
  return rest;
}

Value map_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  std::vector<Value> items;
  if (arguments.positional.empty()) {
    const Bound bound("map", arguments, {"attribute", "default"});
    if (!bound.has(0)) raise_python("FilterArgumentError", "map requires a filter argument");
    for (const Value& item : items_of(input)) {
      const Value value = attribute_path(interpreter, item, bound[0]);
      items.push_back(value.is_undefined() && bound.has(1) ? bound[1] : value);
    }
  } else {
    const std::string name = to_text(arguments.positional[0]);
    const Arguments rest = rest_of(arguments, 1);
    for (const Value& item : items_of(input)) items.push_back(interpreter.filter(name, item, rest));
  }
  return generator(std::move(items));
}

enum class Subject { kItem, kAttribute };

// select, reject, selectattr, rejectattr: by a test with arguments, or by truth.
template <Subject subject, bool wanted>
Value select_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  constexpr std::size_t kFirst = subject == Subject::kAttribute ? 1 : 0;
  if (arguments.positional.size() < kFirst)
    raise_python("FilterArgumentError", "Missing parameter for attribute name");
  const bool has_test = arguments.positional.size() > kFirst;
  const std::string test = has_test ? to_text(arguments.positional[kFirst]) : "";
  const Arguments rest = rest_of(arguments, kFirst + 1);
  std::vector<Value> items;
  for (Value& item : items_of(input)) {
    interpreter.tick(1);
    const Value value =
        subject == Subject::kAttribute ? attribute_path(interpreter, item, arguments.positional[0]) : item;
    if ((has_test ? interpreter.test(test, value, rest) : is_true(value)) == wanted)
      items.push_back(std::move(item));
  }
  return generator(std::move(items));
}

Value batch_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("batch", arguments, {"linecount", "fill_with"}, 1);
  const auto size = static_cast<std::size_t>(std::clamp<std::int64_t>(bound.integer_or(0, 1), 1, 1'000'000));
  std::vector<Value> batches, batch;
  for (Value& item : items_of(input)) {
    batch.push_back(std::move(item));
    if (batch.size() == size) batches.push_back(Value::sequence(std::exchange(batch, {})));
  }
  if (!batch.empty()) {
    interpreter.tick(bound.has(1) ? size : 0);
    if (bound.has(1)) batch.resize(size, bound[1]);
    batches.push_back(Value::sequence(std::move(batch)));
  }
  return generator(std::move(batches));
}

Value slice_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("slice", arguments, {"slices", "fill_with"}, 1);
  const std::vector<Value> items = items_of(input);
  const std::int64_t asked = bound.integer_or(0, 1);
  if (asked <= 0) raise_python("ZeroDivisionError", "integer division or modulo by zero");
  interpreter.tick(static_cast<std::uint64_t>(asked));
  const auto slices = static_cast<std::size_t>(asked);
  const std::size_t each = items.size() / slices, longer = items.size() % slices;
  std::vector<Value> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < slices; ++i) {
    const std::size_t end = begin + each + (i < longer ? 1 : 0);
    std::vector<Value> part(items.begin() + static_cast<std::ptrdiff_t>(begin),
                            items.begin() + static_cast<std::ptrdiff_t>(end));
    if (bound.has(1) && i >= longer) part.push_back(bound[1]);
    out.push_back(Value::sequence(std::move(part)));
    begin = end;
  }
  return generator(std::move(out));
}

}  // namespace

Filter find_sequence_filter(std::string_view name) {
  static constexpr std::pair<std::string_view, Filter> kFilters[] = {
      {"attr", attr_filter},
      {"batch", batch_filter},
      {"count", length_filter},
      {"dictsort", dictsort_filter},
      {"first", first_filter},
      {"groupby", groupby_filter},
      {"items", items_filter},
      {"join", join_filter},
      {"last", last_filter},
      {"length", length_filter},
      {"list", list_filter},
      {"map", map_filter},
      {"max", extreme_filter<true>},
      {"min", extreme_filter<false>},
      {"reject", select_filter<Subject::kItem, false>},
      {"rejectattr", select_filter<Subject::kAttribute, false>},
      {"reverse", reverse_filter},
      {"select", select_filter<Subject::kItem, true>},
      {"selectattr", select_filter<Subject::kAttribute, true>},
      {"slice", slice_filter},
      {"sort", sort_filter},
      {"sum", sum_filter},
      {"unique", unique_filter},
  };
  for (const auto& [known, filter] : kFilters) {
    if (known == name) return filter;
  }
  return nullptr;
}

Filter find_filter(std::string_view name) {
  const Filter filter = find_text_filter(name);
  return filter != nullptr ? filter : find_sequence_filter(name);
}

Coverage filter_coverage(std::string_view name) {
  static constexpr std::string_view kUncovered[] = {"filesizeformat", "random",   "striptags",
                                                    "urlize",         "wordwrap", "xmlattr"};
  if (find_filter(name) != nullptr) return Coverage::kCovered;
  const bool known = std::find(std::begin(kUncovered), std::end(kUncovered), name) != std::end(kUncovered);
  return known ? Coverage::kKnown : Coverage::kUnknown;
}

}  // namespace micius::jinja
