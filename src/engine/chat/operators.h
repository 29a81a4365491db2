// Python's operators on values.
#pragma once

#include <optional>
#include <string_view>

#include "engine/chat/interpreter.h"
#include "engine/chat/value.h"

namespace micius::jinja {

// left op right for + - * / // % **. TypeError, ZeroDivisionError as in Python; kUnsupported where Python's
// integers would need more than 64 bits.
Value arithmetic(Interpreter& interpreter, std::string_view op, const Value& left, const Value& right);
Value signed_value(std::string_view sign, const Value& operand);  // -x, +x

std::string escape_html(std::string_view text);

// '%' on a text, as printf does it: %s %r %d %i %f %g %e %x %c %%.
std::string format_percent(std::string_view format, const Value& arguments);

// value[start:stop:step] of a text or sequence.
Value slice(const Value& value, std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
            std::optional<std::int64_t> step);
// value[index] of a text or sequence; absent if it is outside or the value has no elements.
std::optional<Value> element(const Value& value, std::int64_t index);

// Sets dict[key], in steps of its size; TypeError for a key that Python cannot hash.
void set_item(Interpreter& interpreter, DictItems& dict, Value key, Value value);

}  // namespace micius::jinja
