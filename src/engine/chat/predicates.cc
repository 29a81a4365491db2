// Jinja's tests: `x is defined`.
#include <algorithm>
#include <iterator>

#include "engine/chat/failure.h"
#include "engine/chat/filters.h"
#include "engine/chat/unicode_case.h"

namespace micius::jinja {
namespace {

std::int64_t integer_of(const Value& value) {
  if (const auto* undefined = value.get<Undefined>()) raise_undefined(*undefined);
  const auto integer = value.integer();
  if (!integer) raise_type_error("unsupported operand type(s) for %: '{}' and 'int'", type_name(value));
  return *integer;
}

bool is_divisible(const Value& value, const Value& operand) {
  const std::int64_t by = integer_of(operand);
  if (by == 0) raise_python("ZeroDivisionError", "integer modulo by zero");
  return by == -1 || integer_of(value) % by == 0;
}

bool is_same(const Value& value, const Value& operand) {
  return value.data().index() == operand.data().index() && equals(value, operand);
}

bool is_sequence(const Value& value, const Value&) {
  const auto* sequence = value.get<Sequence>();
  return value.is_text() || value.is<Dict>() || value.is_undefined() ||
         (sequence != nullptr && sequence->kind <= Sequence::Kind::kRange);
}

bool is_iterable(const Value& value, const Value&) {
  return value.is_text() || value.is<Dict>() || value.is<Sequence>() || value.is_undefined();
}

// An Undefined has a method __call__ (which fails), so it counts.
bool is_callable(const Value& value, const Value&) {
  const auto* object = value.get<std::shared_ptr<Object>>();
  return value.is_undefined() || (object != nullptr && (*object)->callable());
}

template <typename T>
bool holds(const Value& value, const Value&) {
  return value.is<T>();
}

template <bool expected>
bool is_boolean(const Value& value, const Value&) {
  const auto* boolean = value.get<bool>();
  return boolean != nullptr && *boolean == expected;
}

template <std::int64_t rest>
bool has_parity(const Value& value, const Value&) {
  return (integer_of(value) & 1) == rest;
}

template <Coverage (*coverage)(std::string_view)>
bool is_known(const Value& value, const Value&) {
  return value.is_text() && coverage(value.text()) != Coverage::kUnknown;
}

constexpr Test kTests[] = {
    {"defined", 0, [](const Value& v, const Value&) { return !v.is_undefined(); }},
    {"undefined", 0, holds<Undefined>},
    {"none", 0, holds<None>},
    {"boolean", 0, holds<bool>},
    {"true", 0, is_boolean<true>},
    {"false", 0, is_boolean<false>},
    {"integer", 0, holds<std::int64_t>},
    {"float", 0, holds<double>},
    {"number", 0, [](const Value& v, const Value&) { return v.number().has_value(); }},
    {"string", 0, holds<Text>},
    {"mapping", 0, holds<Dict>},
    {"sequence", 0, is_sequence},
    {"iterable", 0, is_iterable},
    {"callable", 0, is_callable},
    {"odd", 0, has_parity<1>},
    {"even", 0, has_parity<0>},
    {"divisibleby", 1, is_divisible},
    {"sameas", 1, is_same},
    {"escaped", 0, [](const Value& v, const Value&) { return v.is_text() && v.get<Text>()->markup; }},
    {"lower", 0, [](const Value& v, const Value&) { return is_lower(to_text(v)); }},
    {"upper", 0, [](const Value& v, const Value&) { return is_upper(to_text(v)); }},
    {"filter", 0, is_known<filter_coverage>},
    {"test", 0, is_known<test_coverage>},
    {"in", 1, [](const Value& a, const Value& b) { return contains(b, a); }},
    {"eq", 1, [](const Value& a, const Value& b) { return equals(a, b); }},
    {"ne", 1, [](const Value& a, const Value& b) { return !equals(a, b); }},
    {"lt", 1, [](const Value& a, const Value& b) { return less(a, b); }},
    {"gt", 1, [](const Value& a, const Value& b) { return less(b, a, ">"); }},
    {"le", 1, [](const Value& a, const Value& b) { return equals(a, b) || less(a, b, "<="); }},
    {"ge", 1, [](const Value& a, const Value& b) { return equals(a, b) || less(b, a, ">="); }},
};

constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"equalto", "eq"},     {"==", "eq"}, {"!=", "ne"}, {"<", "lt"},  {"lessthan", "lt"},
    {"greaterthan", "gt"}, {">", "gt"},  {"<=", "le"}, {">=", "ge"},
};

}  // namespace

const Test* find_test(std::string_view name) {
  for (const auto& [other, first] : kOtherNames) {
    if (other == name) name = first;
  }
  for (const Test& test : kTests) {
    if (test.name == name) return &test;
  }
  return nullptr;
}

Coverage test_coverage(std::string_view name) {
  return find_test(name) != nullptr ? Coverage::kCovered : Coverage::kUnknown;
}

}  // namespace micius::jinja
