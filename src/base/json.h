// JSON values that keep the order of their keys, and reading of fields with errors that say where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace micius {

using Json = nlohmann::ordered_json;

// Parses one document. `where` ("file.json" or "file.jsonl:12") goes into the error, with line and column
// inside `text` where it has several lines. Nesting deeper than 512 and objects of more than
// 50,000 keys are refused.
Json parse_json(std::string_view text, std::string_view where);

// One line, no blanks, UTF-8 as it is (invalid bytes become U+FFFD). Same value, same bytes.
std::string dump_json(const Json& value);

// The value at a dotted path ("choices.text", "options.0"), or null if there is none. At each step a key that
// has the dots in its name goes first.
const Json* find_json(const Json& value, std::string_view path);

// The line, from 1, on which the key at `path` stands in the valid JSON text `text`; if it is not there, that
// of the nearest parent that is. Does not look into lists.
std::size_t json_line(std::string_view text, const std::vector<std::string>& path);

// A string, number, or true or false as text; absent for anything else. "3" and 3 are the same text.
std::optional<std::string> scalar_text(const Json& value);

// Reads typed fields of one object and reports what is missing, mistyped or unknown, with the nearest valid
// name. Borrows the object; `where` is the prefix of every message.
class JsonFields {
 public:
  JsonFields(const Json& object, std::string where);

  bool has(std::string_view key) const;  // there and not null
  const Json& at(std::string_view key) const;
  std::string string(std::string_view key) const;
  std::string string_or(std::string_view key, std::string fallback) const;
  std::int64_t integer(std::string_view key) const;
  std::int64_t integer_or(std::string_view key, std::int64_t fallback) const;
  double number(std::string_view key) const;
  double number_or(std::string_view key, double fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::vector<std::string> strings_or(std::string_view key, std::vector<std::string> fallback) const;
  JsonFields object(std::string_view key) const;  // `where` gains ".key"

  // Throws for a key that is not among `known`.
  void only(const std::vector<std::string>& known) const;
  const std::string& where() const { return where_; }

 private:
  const Json* object_;
  std::string where_;
};

}  // namespace micius
