#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/error.h"
#include "base/json_builder.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kMaxDepth = 512;
constexpr std::size_t kMaxKeys = 50'000;  // an ordered object finds a key in time by its size

std::string place(std::string_view text, std::size_t byte, std::string_view where) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n');
  const std::size_t column = 1 + before.size() - (start == std::string_view::npos ? 0 : start + 1);
  if (text.find('\n') == std::string_view::npos) return fmt::format("{}: column {}", where, column);
  return fmt::format("{}:{}: column {}", where, line, column);
}

// Counts the keys of an object.
class KeyCount {
 public:
  void add(const std::string&, std::string_view where) {
    if (++count_ > kMaxKeys)
      fail(ErrorCode::kInvalidData, "{}: a JSON object of more than {} keys", where, kMaxKeys);
  }

 private:
  std::size_t count_ = 0;
};

const char* type_name(const Json& value) { return value.type_name(); }

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  try {
    Json value;
    JsonBuilder<Json, KeyCount> builder(value, kMaxDepth, where);
    Json::sax_parse(text, &builder);
    return value;
  } catch (const nlohmann::json::parse_error& error) {
    std::string what = error.what();
    const std::size_t colon = what.rfind(": ");
    fail(ErrorCode::kInvalidData, "{}: not valid JSON: {}",
         place(text, error.byte == 0 ? 0 : error.byte - 1, where),
         colon == std::string::npos ? what : what.substr(colon + 2));
  } catch (const nlohmann::json::exception& error) {  // a number out of range
    fail(ErrorCode::kInvalidData, "{}: not valid JSON: {}", where, error.what());
  }
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* find_json(const Json& value, std::string_view path) {
  if (value.is_object()) {
    if (const auto it = value.find(std::string(path)); it != value.end()) return &*it;
  } else if (!value.is_array()) {
    return nullptr;
  }
  const std::size_t dot = path.find('.');
  const std::string_view first = path.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  const Json* child = nullptr;
  if (value.is_array()) {
    std::size_t index = 0;
    const auto [end, code] = std::from_chars(first.data(), first.data() + first.size(), index);
    if (code == std::errc() && end == first.data() + first.size() && index < value.size())
      child = &value[index];
  } else if (dot != std::string_view::npos) {
    if (const auto it = value.find(std::string(first)); it != value.end()) child = &*it;
  }
  if (child == nullptr || dot == std::string_view::npos) return child;
  return find_json(*child, rest);
}

std::size_t json_line(std::string_view text, const std::vector<std::string>& path) {
  struct Frame {
    bool on_path;      // this object is the value at path[0..depth-1]
    bool key_is_next;  // in an object, at the place of a key
    bool child_on_path = false;
  };
  std::vector<Frame> stack;
  std::size_t line = 1, best_line = 1, best_depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (c == '{' || c == '[') {
      stack.push_back({(stack.empty() || stack.back().child_on_path) && c == '{', c == '{'});
    } else if (stack.empty()) {
      continue;
    } else if (c == '}' || c == ']') {
      stack.pop_back();
    } else if (c == ':') {
      stack.back().key_is_next = false;
    } else if (c == ',') {
      stack.back().key_is_next = stack.back().on_path;
    } else if (c == '"') {
      const std::size_t start = i;
      for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
      Frame& frame = stack.back();
      if (!frame.on_path || !frame.key_is_next) continue;
      const std::size_t depth = stack.size();
      frame.child_on_path = depth <= path.size() &&
                            Json::parse(text.substr(start, i + 1 - start), nullptr, false) == path[depth - 1];
      if (frame.child_on_path && depth > best_depth) best_depth = depth, best_line = line;
    }
  }
  return best_line;
}

std::optional<std::string> scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

JsonFields::JsonFields(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) {
    fail(ErrorCode::kInvalidData, "{}: expected an object, found {}", where_, type_name(object));
  }
}

bool JsonFields::has(std::string_view key) const {
  const auto it = object_->find(std::string(key));
  return it != object_->end() && !it->is_null();
}

const Json& JsonFields::at(std::string_view key) const {
  const auto it = object_->find(std::string(key));
  if (it != object_->end()) return *it;
  std::vector<std::string> keys;
  for (const auto& item : object_->items()) keys.push_back(item.key());
  fail(ErrorCode::kInvalidData, "{}: field '{}' is missing{}", where_, key,
       did_you_mean(key, keys, "is it '{}'?"));
}

std::string JsonFields::string(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_string()) {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be a string, found {}", where_, key, type_name(value));
  }
  return value.get<std::string>();
}

std::string JsonFields::string_or(std::string_view key, std::string fallback) const {
  return has(key) ? string(key) : std::move(fallback);
}

std::int64_t JsonFields::integer(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_number_integer()) {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be an integer, found {}", where_, key,
         type_name(value));
  }
  return value.get<std::int64_t>();
}

std::int64_t JsonFields::integer_or(std::string_view key, std::int64_t fallback) const {
  return has(key) ? integer(key) : fallback;
}

double JsonFields::number(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_number()) {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be a number, found {}", where_, key, type_name(value));
  }
  return value.get<double>();
}

double JsonFields::number_or(std::string_view key, double fallback) const {
  return has(key) ? number(key) : fallback;
}

bool JsonFields::boolean_or(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const Json& value = at(key);
  if (!value.is_boolean()) {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be true or false, found {}", where_, key,
         type_name(value));
  }
  return value.get<bool>();
}

std::vector<std::string> JsonFields::strings_or(std::string_view key,
                                                std::vector<std::string> fallback) const {
  if (!has(key)) return fallback;
  const Json& value = at(key);
  std::vector<std::string> strings;
  if (value.is_array()) {
    for (const Json& item : value) {
      if (!item.is_string()) break;
      strings.push_back(item.get<std::string>());
    }
  }
  if (!value.is_array() || strings.size() != value.size()) {
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be a list of strings", where_, key);
  }
  return strings;
}

JsonFields JsonFields::object(std::string_view key) const {
  return JsonFields(at(key), fmt::format("{}: field '{}'", where_, key));
}

void JsonFields::only(const std::vector<std::string>& known) const {
  for (const auto& item : object_->items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    fail(ErrorCode::kInvalidData, "{}: unknown field '{}'{}", where_, item.key(),
         did_you_mean(item.key(), known));
  }
}

}  // namespace micius
