#include "net/api_json.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include "base/error.h"
#include "base/json_builder.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kKeptBytes = 2048, kMaxDepth = 64;

// The keys of one object.
struct NamedKeys {
  BodyMarks* marks = nullptr;
  std::unordered_set<std::string> names = {};

  void add(const std::string& name, std::string_view where) {
    constexpr std::size_t kMost = 50'000;  // an ordered object finds a key in time by its size
    if (!names.insert(name).second) marks->had_twin_keys = true;
    if (names.size() > kMost)
      fail(ErrorCode::kInvalidData, "{}: an object of more than {} keys", where, kMost);
  }
};

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

void BodyMarks::add(const BodyMarks& other) {
  had_invalid_utf8 = had_invalid_utf8 || other.had_invalid_utf8;
  had_twin_keys = had_twin_keys || other.had_twin_keys;
}

std::optional<Json> parse_body(std::string_view body, BodyMarks& marks) {
  const std::string text = with_whole_surrogates(to_valid_utf8(body));
  marks.had_invalid_utf8 = marks.had_invalid_utf8 || text != body;
  try {
    Json value;
    JsonBuilder<Json, NamedKeys> builder(value, kMaxDepth, "answer", {&marks});
    Json::sax_parse(text, &builder);
    return value;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::optional<Json> parse_body(std::string_view body) {
  BodyMarks marks;
  return parse_body(body, marks);
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
  constexpr std::uint64_t kMost = 1'000'000'000;
  const Json* value = find_json(json, path);
  if (value == nullptr || !value->is_number_integer()) return 0;
  if (!value->is_number_unsigned() && value->get<std::int64_t>() < 0) return 0;
  return static_cast<int>(std::min(kMost, value->get<std::uint64_t>()));
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
