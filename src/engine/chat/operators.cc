#include "engine/chat/operators.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/chat/failure.h"

namespace micius::jinja {
namespace {

[[noreturn]] void raise_operands(std::string_view op, const Value& left, const Value& right) {
  for (const Value* value : {&left, &right}) {
    if (const auto* undefined = value->get<Undefined>()) raise_undefined(*undefined);
  }
  if (op == "+" && (left.is_text() || left.list() != nullptr)) {
    const std::string name = type_name(left);
    raise_type_error("can only concatenate {} (not \"{}\") to {}", name, type_name(right), name);
  }
  raise_type_error("unsupported operand type(s) for {}: '{}' and '{}'", op, type_name(left),
                   type_name(right));
}

[[noreturn]] void raise_overflow() { raise(FailureKind::kUnsupported, "an integer of more than 64 bits"); }

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) raise_python("ZeroDivisionError", "division by zero");
  if (b == -1) {
    if (a == INT64_MIN) raise_overflow();
    return -a;
  }
  const std::int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

double float_modulo(double a, double b) {
  if (b == 0) raise_python("ZeroDivisionError", "float modulo");
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  if (exponent > 64 && base != 0 && base != 1 && base != -1) raise_overflow();
  if (exponent > 64) exponent = 2 + exponent % 2;  // 0, 1 and -1 repeat
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(result, base, &result)) raise_overflow();
  }
  return result;
}

Value integers(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (op == "+" && !__builtin_add_overflow(a, b, &result)) return Value(result);
  if (op == "-" && !__builtin_sub_overflow(a, b, &result)) return Value(result);
  if (op == "*" && !__builtin_mul_overflow(a, b, &result)) return Value(result);
  if (op == "//") return Value(floor_divide(a, b));
  if (op == "%") {
    if (b == 0) raise_python("ZeroDivisionError", "integer modulo by zero");
    return Value(b == -1 ? std::int64_t{0} : a - floor_divide(a, b) * b);
  }
  if (op == "**" && b >= 0) return Value(integer_power(a, b));
  if (op == "**") {
    if (a == 0) raise_python("ZeroDivisionError", "0.0 cannot be raised to a negative power");
    return Value(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
  raise_overflow();
}

Value floats(std::string_view op, double a, double b) {
  if (op == "+") return Value(a + b);
  if (op == "-") return Value(a - b);
  if (op == "*") return Value(a * b);
  if (op == "%") return Value(float_modulo(a, b));
  if (op == "**") return Value(std::pow(a, b));
  if (b == 0) raise_python("ZeroDivisionError", "float division by zero");
  return Value(op == "/" ? a / b : std::floor(a / b));
}

Value repeat(Interpreter& interpreter, const Value& value, std::int64_t times) {
  const auto n = static_cast<std::uint64_t>(std::max<std::int64_t>(times, 0));
  const std::uint64_t weight = value.size().weight;
  if (n > kMaxWeight / weight) raise(FailureKind::kLimit, "a value of more than {} bytes", kMaxWeight);
  interpreter.tick_bytes(n * weight);
  if (value.is_text()) {
    std::string out;
    for (std::uint64_t i = 0; i < n; ++i) out += value.text();
    return Value(std::move(out));
  }
  std::vector<Value> out;
  for (std::uint64_t i = 0; i < n; ++i) out.insert(out.end(), value.list()->begin(), value.list()->end());
  return Value::sequence(std::move(out), value.get<Sequence>()->kind);
}

// Lists and tuples: what + and * take.
bool is_array(const Value& value) {
  const auto* sequence = value.get<Sequence>();
  return sequence != nullptr &&
         (sequence->kind == Sequence::Kind::kList || sequence->kind == Sequence::Kind::kTuple);
}

std::optional<Value> add_containers(const Value& left, const Value& right) {
  if (left.is_text() && right.is_text()) {
    const bool l = left.get<Text>()->markup, r = right.get<Text>()->markup;
    if (l == r) return l ? Value::markup(left.text() + right.text()) : Value(left.text() + right.text());
    return Value::markup((l ? left.text() : escape_html(left.text())) +
                         (r ? right.text() : escape_html(right.text())));
  }
  if (!is_array(left) || !is_array(right) || left.get<Sequence>()->kind != right.get<Sequence>()->kind)
    return std::nullopt;
  std::vector<Value> items = *left.list();
  items.insert(items.end(), right.list()->begin(), right.list()->end());
  return Value::sequence(std::move(items), left.get<Sequence>()->kind);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    static constexpr std::string_view kFrom = "&<>\"'";
    static constexpr std::string_view kTo[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
    const std::size_t place = kFrom.find(c);
    place == std::string_view::npos ? out.push_back(c) : static_cast<void>(out.append(kTo[place]));
  }
  return out;
}

Value arithmetic(Interpreter& interpreter, std::string_view op, const Value& left, const Value& right) {
  const auto a = left.integer(), b = right.integer();
  if (a && b && op != "/") return integers(op, *a, *b);
  const auto x = left.number(), y = right.number();
  if (x && y) return floats(op, *x, *y);
  if (op == "+") {
    if (auto sum = add_containers(left, right)) return *std::move(sum);
  } else if (op == "*") {
    if (b && (left.is_text() || is_array(left))) return repeat(interpreter, left, *b);
    if (a && (right.is_text() || is_array(right))) return repeat(interpreter, right, *a);
  } else if (op == "%" && left.is_text()) {
    if (left.get<Text>()->markup) raise(FailureKind::kUnsupported, "formatting an escaped text");
    return Value(format_percent(left.text(), right));
  }
  raise_operands(op, left, right);
}

Value signed_value(std::string_view sign, const Value& operand) {
  if (const auto* undefined = operand.get<Undefined>()) raise_undefined(*undefined);
  if (const auto i = operand.integer()) {
    if (*i == INT64_MIN && sign == "-") raise_overflow();
    return Value(sign == "-" ? -*i : *i);
  }
  const auto d = operand.number();
  if (!d) raise_type_error("bad operand type for unary {}: '{}'", sign, type_name(operand));
  return Value(sign == "-" ? -*d : *d);
}

Value slice(const Value& value, std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
            std::optional<std::int64_t> step) {
  if (const auto* undefined = value.get<Undefined>()) raise_undefined(*undefined);
  const std::vector<Value>* items = value.list();
  if (!value.is_text() && items == nullptr)
    return Value::undefined(fmt::format("{} object has no element slice", type_name(value)));
  const std::u32string text = value.is_text() ? decode_utf8(value.text()) : std::u32string();
  const auto n = static_cast<std::int64_t>(value.is_text() ? text.size() : items->size());
  const std::int64_t by = step.value_or(1);
  if (by == 0) raise_python("ValueError", "slice step cannot be zero");
  const std::int64_t lowest = by > 0 ? 0 : -1, highest = by > 0 ? n : n - 1;
  const auto place = [&](std::optional<std::int64_t> given, std::int64_t missing) {
    if (!given) return missing;
    return std::clamp(*given < 0 ? std::max(*given, -n - 1) + n : *given, lowest, highest);
  };
  const std::int64_t from = place(start, by > 0 ? 0 : n - 1), to = place(stop, by > 0 ? n : -1);
  std::u32string part;
  std::vector<Value> out;
  for (std::int64_t i = from; by > 0 ? i < to : i > to;) {
    const auto at = static_cast<std::size_t>(i);
    value.is_text() ? part.push_back(text[at]) : out.push_back((*items)[at]);
    if (__builtin_add_overflow(i, by, &i)) break;
  }
  if (value.is_text()) return Value(encode_utf8(part));
  return Value::sequence(std::move(out), value.get<Sequence>()->kind);
}

std::optional<Value> element(const Value& value, std::int64_t index) {
  if (value.is_text()) {
    const auto n = static_cast<std::int64_t>(code_points(value.text()));
    if (index < -n || index >= n) return std::nullopt;
    std::size_t offset = 0;
    for (std::int64_t skip = index < 0 ? index + n : index; skip > 0; --skip)
      next_code_point(value.text(), offset);
    const std::size_t begin = offset;
    next_code_point(value.text(), offset);
    return Value(std::string_view(value.text()).substr(begin, offset - begin));
  }
  const auto* sequence = value.get<Sequence>();
  if (sequence == nullptr || sequence->kind > Sequence::Kind::kRange) return std::nullopt;
  const auto n = static_cast<std::int64_t>(sequence->items->size());
  if (index < -n || index >= n) return std::nullopt;
  return (*sequence->items)[static_cast<std::size_t>(index < 0 ? index + n : index)];
}

void set_item(Interpreter& interpreter, DictItems& dict, Value key, Value value) {
  interpreter.tick(dict.size() / 8);
  const auto* sequence = key.get<Sequence>();
  if (key.is<Dict>() || (sequence != nullptr && sequence->kind == Sequence::Kind::kList))
    raise_type_error("unhashable type: '{}'", type_name(key));
  for (auto& item : dict) {
    if (!equals(item.first, key)) continue;
    item.second = std::move(value);
    return;
  }
  dict.emplace_back(std::move(key), std::move(value));
}

}  // namespace micius::jinja
