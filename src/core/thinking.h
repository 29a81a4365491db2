// What a model wrote for itself, and what for the reader.
#pragma once

#include <optional>
#include <string_view>

namespace micius {

// What follows the last `</think>`; the whole text without one. Absent if a `<think>` is left open there.
std::optional<std::string_view> after_thinking(std::string_view text);

}  // namespace micius
