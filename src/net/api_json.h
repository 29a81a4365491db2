// Reading of JSON that a server sent. Nothing that it sends makes these throw.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace micius {

// What was mended, or passed over, to read a body.
struct BodyMarks {
  bool had_invalid_utf8 = false;  // bytes that are no UTF-8, or half surrogate pairs
  bool had_twin_keys = false;     // an object names a key twice
  void add(const BodyMarks& other);
};

// Absent where the body is not JSON, holds NaN or an infinity, or is nested deeper than 64. What is no UTF-8
// becomes U+FFFD; of two equal keys the last counts. Adds to `marks`.
std::optional<Json> parse_body(std::string_view body, BodyMarks& marks);
std::optional<Json> parse_body(std::string_view body);

// The string, number or truth value at a key, as text; "" where there is none.
std::string text_at(const Json& json, const char* key);

// A count at a dotted path: 0 for what is none, and for what is negative; at most a billion, of which two fit
// into an int.
int count_at(const Json& json, std::string_view path);

// A string, or the text parts of a list; absent for null and anything else.
std::optional<std::string> content_text(const Json& content);

// The first 2 KB, as valid UTF-8: what is kept of a server's words.
std::string kept(std::string_view text);

// Is it `error`, and not null?
const Json* error_in(const Json& json);

}  // namespace micius
