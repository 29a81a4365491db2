// Draws one question of an intent about a table: the query with its names and values, and the words for them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "nl2kql_catalog.h"

namespace micius::aimicius::nl2kql {

struct Span {
  std::string kql;  // "6h"
  int hours = 0;
  std::vector<std::string> the;  // "the last 6 hours"
  std::string short_form, age;   // "last 6h", "6 hours"
  std::string bin, bin_kql;      // the bins that a series of this length has: "hour", "1h"
};

// A query with slots, and what it needs of a table.
struct Intent {
  std::string name;
  std::vector<std::string> needs;  // entity, cat, cat2, text-cat, num, range, text, flag, join, pair, ..
  bool scope = false;              // may one more condition be put in?
  std::string query;
};

struct Intents {
  std::vector<Span> spans;
  std::vector<Intent> intents;
  static Intents read(const std::filesystem::path& path);
};

// The slots of an intent, filled: `code` for the query, `words` (any of them) for the question.
struct Bound {
  const Intent* intent = nullptr;
  const Table* table = nullptr;
  std::map<std::string, std::string> code;
  std::map<std::string, std::vector<std::string>> words;
  std::string scope_words;  // put behind the first mention of the rows
};

// Absent if the table has not what the intent needs.
std::optional<Bound> bind(const Catalog& catalog, const Intents& intents, const Intent& intent,
                          const Table& table, Rng& rng);

std::string query_of(const Bound& bound);

struct Asked {
  std::string question;
  std::string shape;  // the question with its slots open
};
// Throws Error{kInvalidData} for a slot that the intent has not.
Asked ask(const Bound& bound, const std::string& frame, Rng& rng);

}  // namespace micius::aimicius::nl2kql
