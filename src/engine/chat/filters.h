// Filters and tests by name.
#pragma once

#include <string_view>

#include "engine/chat/objects.h"

namespace micius::jinja {

enum class Coverage { kCovered, kKnown, kUnknown };  // kKnown: Jinja has it, this subset has not

using Filter = Value (*)(Interpreter&, const Value& input, const Arguments&);
struct Test {
  std::string_view name;
  std::size_t operands;  // beside the input: 0 or 1
  bool (*function)(const Value& input, const Value& operand);
};

Coverage filter_coverage(std::string_view name);
Coverage test_coverage(std::string_view name);
Filter find_filter(std::string_view name);     // null: not covered
const Test* find_test(std::string_view name);  // null: not covered

// The halves of find_filter.
Filter find_text_filter(std::string_view name);
Filter find_sequence_filter(std::string_view name);

}  // namespace micius::jinja
