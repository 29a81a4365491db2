// Jinja's tests: `x is defined`.
#include <algorithm>
#include <iterator>

#include "engine/chat/failure.h"
#include "engine/chat/filters.h"
#include "engine/chat/unicode_case.h"

namespace micius::jinja {
namespace {

const Value& operand(const Arguments& arguments) {
  if (arguments.positional.size() != 1 || !arguments.named.empty())
    raise_type_error("a test with one operand got {}", arguments.positional.size() + arguments.named.size());
  return arguments.positional[0];
}

std::int64_t integer_of(const Value& value) {
  if (const auto* undefined = value.get<Undefined>()) raise_undefined(*undefined);
  const auto integer = value.integer();
  if (!integer) raise_type_error("unsupported operand type(s) for %: '{}' and 'int'", type_name(value));
  return *integer;
}

bool is_divisible(Interpreter&, const Value& value, const Arguments& arguments) {
  const std::int64_t by = integer_of(operand(arguments));
  if (by == 0) raise_python("ZeroDivisionError", "integer modulo by zero");
  return by == -1 || integer_of(value) % by == 0;
}

bool is_same(Interpreter&, const Value& value, const Arguments& arguments) {
  const Value& other = operand(arguments);
  return value.data().index() == other.data().index() && equals(value, other);
}

bool is_sequence(Interpreter&, const Value& value, const Arguments&) {
  const auto* sequence = value.get<Sequence>();
  return value.is_text() || value.is<Dict>() || value.is_undefined() ||
         (sequence != nullptr && sequence->kind <= Sequence::Kind::kRange);
}

bool is_iterable(Interpreter&, const Value& value, const Arguments&) {
  return value.is_text() || value.is<Dict>() || value.is<Sequence>() || value.is_undefined();
}

// An Undefined has a method __call__ (which fails), so it counts.
bool is_callable(Interpreter&, const Value& value, const Arguments&) {
  const auto* object = value.get<std::shared_ptr<Object>>();
  return value.is_undefined() || (object != nullptr && (*object)->callable());
}

template <typename T>
bool holds(Interpreter&, const Value& value, const Arguments&) {
  return value.is<T>();
}

template <bool expected>
bool is_boolean(Interpreter&, const Value& value, const Arguments&) {
  const auto* boolean = value.get<bool>();
  return boolean != nullptr && *boolean == expected;
}

template <std::int64_t rest>
bool has_parity(Interpreter&, const Value& value, const Arguments&) {
  return (integer_of(value) & 1) == rest;
}

template <Coverage (*coverage)(std::string_view)>
bool is_known(Interpreter&, const Value& value, const Arguments&) {
  return value.is_text() && coverage(value.text()) != Coverage::kUnknown;
}

constexpr std::pair<std::string_view, Test> kTests[] = {
    {"defined", [](Interpreter&, const Value& v, const Arguments&) { return !v.is_undefined(); }},
    {"undefined", holds<Undefined>},
    {"none", holds<None>},
    {"boolean", holds<bool>},
    {"true", is_boolean<true>},
    {"false", is_boolean<false>},
    {"integer", holds<std::int64_t>},
    {"float", holds<double>},
    {"number", [](Interpreter&, const Value& v, const Arguments&) { return v.number().has_value(); }},
    {"string", holds<Text>},
    {"mapping", holds<Dict>},
    {"sequence", is_sequence},
    {"iterable", is_iterable},
    {"callable", is_callable},
    {"odd", has_parity<1>},
    {"even", has_parity<0>},
    {"divisibleby", is_divisible},
    {"sameas", is_same},
    {"escaped",
     [](Interpreter&, const Value& v, const Arguments&) { return v.is_text() && v.get<Text>()->markup; }},
    {"lower", [](Interpreter&, const Value& v, const Arguments&) { return is_lower(to_text(v)); }},
    {"upper", [](Interpreter&, const Value& v, const Arguments&) { return is_upper(to_text(v)); }},
    {"filter", is_known<filter_coverage>},
    {"test", is_known<test_coverage>},
    {"in", [](Interpreter&, const Value& v, const Arguments& a) { return contains(operand(a), v); }},
    {"eq", [](Interpreter&, const Value& v, const Arguments& a) { return equals(v, operand(a)); }},
    {"ne", [](Interpreter&, const Value& v, const Arguments& a) { return !equals(v, operand(a)); }},
    {"lt", [](Interpreter&, const Value& v, const Arguments& a) { return less(v, operand(a)); }},
    {"gt", [](Interpreter&, const Value& v, const Arguments& a) { return less(operand(a), v, ">"); }},
    {"le", [](Interpreter&, const Value& v,
              const Arguments& a) { return equals(v, operand(a)) || less(v, operand(a), "<="); }},
    {"ge", [](Interpreter&, const Value& v,
              const Arguments& a) { return equals(v, operand(a)) || less(operand(a), v, ">="); }},
};

constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"equalto", "eq"},     {"==", "eq"}, {"!=", "ne"}, {"<", "lt"},  {"lessthan", "lt"},
    {"greaterthan", "gt"}, {">", "gt"},  {"<=", "le"}, {">=", "ge"},
};

}  // namespace

Test find_test(std::string_view name) {
  for (const auto& [other, first] : kOtherNames) {
    if (other == name) name = first;
  }
  for (const auto& [known, test] : kTests) {
    if (known == name) return test;
  }
  return nullptr;
}

Coverage test_coverage(std::string_view name) {
  return find_test(name) != nullptr ? Coverage::kCovered : Coverage::kUnknown;
}

}  // namespace micius::jinja
