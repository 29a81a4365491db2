// A small regular expression matcher whose time is bounded by pattern times text, for patterns of model
// output.
#pragma once

#include <optional>
#include <string_view>

namespace micius::emu {

// Does `pattern` match all of `text`? Knows literals, `.`, `[a-z]`, `\d` `\w` `\s`, `*` `+` `?`, `|`, groups,
// `^` and
// `$`; absent for anything else, and for patterns of more than 200 characters.
std::optional<bool> matches_regex(std::string_view pattern, std::string_view text);

}  // namespace micius::emu
