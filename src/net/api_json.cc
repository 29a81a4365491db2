#include "net/api_json.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kKeptBytes = 2048;

// Reads four hex digits at `offset`.
std::optional<unsigned> hex4(std::string_view text, std::size_t offset) {
  if (offset + 4 > text.size()) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(offset, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

// JSON may not hold half a surrogate pair, but servers that cut tokens send it: it becomes U+FFFD.
std::string with_whole_surrogates(std::string text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    const auto unit = text[i + 1] == 'u' ? hex4(text, i + 2) : std::nullopt;
    if (!unit || *unit < 0xD800 || *unit > 0xDFFF) {
      ++i;
      continue;
    }
    const bool is_high = *unit < 0xDC00 && text.compare(i + 6, 2, "\\u") == 0;
    const auto low = is_high ? hex4(text, i + 8) : std::nullopt;
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      i += 11;
    } else {
      text.replace(i, 6, "\\ufffd");
      i += 5;
    }
  }
  return text;
}

}  // namespace

std::optional<Json> parse_body(std::string_view body) {
  try {
    return parse_json(with_whole_surrogates(to_valid_utf8(body)), "answer");
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string text_at(const Json& json, const char* key) {
  const auto it = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || it == json.end()) return "";
  return scalar_text(*it).value_or("");
}

std::string kept(std::string_view text) {
  return to_valid_utf8(text.substr(0, std::min(text.size(), kKeptBytes)));
}

int count_at(const Json& json, std::string_view path) {
  const Json* value = find_json(json, path);
  if (value == nullptr || !value->is_number_integer()) return 0;
  const auto count = value->get<std::int64_t>();
  return static_cast<int>(std::clamp<std::int64_t>(count, 0, std::numeric_limits<int>::max()));
}

std::optional<std::string> content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return std::nullopt;
  std::string text;
  for (const Json& part : content) text += text_at(part, "text");
  return text;
}

const Json* error_in(const Json& json) {
  const auto it = json.is_object() ? json.find("error") : json.end();
  return json.is_object() && it != json.end() && !it->is_null() ? &*it : nullptr;
}

}  // namespace micius
