// Reading of JSON that a server sent. Nothing that it sends makes these throw.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace micius {

// Absent where the body is not JSON. Bytes that are no UTF-8, and half surrogate pairs, become U+FFFD.
std::optional<Json> parse_body(std::string_view body);

// The string, number or truth value at a key, as text; "" where there is none.
std::string text_at(const Json& json, const char* key);

// A count at a dotted path: 0 for what is none, and for what is negative.
int count_at(const Json& json, std::string_view path);

// A string, or the text parts of a list; absent for null and anything else.
std::optional<std::string> content_text(const Json& content);

// The first 2 KB, as valid UTF-8: what is kept of a server's words.
std::string kept(std::string_view text);

// Is it `error`, and not null?
const Json* error_in(const Json& json);

}  // namespace micius
