// Python's methods of str that filters use as well. All count and cut by code point.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/objects.h"

namespace micius::jinja {

enum class Side { kLeft, kRight, kBoth };
// Without `characters` Unicode's blanks go.
std::string strip_text(std::string_view text, std::optional<std::string_view> characters, Side side);
// Replaces the first `count` places, all of them if it is negative.
std::string replace_text(Interpreter& interpreter, std::string_view text, std::string_view from,
                         std::string_view to, std::int64_t count);
std::vector<std::string_view> split_lines(std::string_view text);  // str.splitlines()
// `text` in the middle of `width` code points.
std::string center_text(Interpreter& interpreter, std::string_view text, std::int64_t width);

// A method of str by name; null: Python has none. kUnsupported for one outside the subset.
Method find_text_method(std::string_view name);

}  // namespace micius::jinja
