#include <algorithm>
#include <array>
#include <cctype>

#include "base/files.h"
#include "base/text.h"
#include "scorers/extract.h"

namespace micius {
namespace {

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view first_word(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && is_name_char(line[end])) ++end;
  return line.substr(0, end);
}

bool is_select(std::string_view line) { return lower_ascii(first_word(line)) == "select"; }

// Is it a line of a schema, `cluster("c").database("d").T(A:datetime, B:string)` or `T(A:datetime)`? Models
// repeat what the prompt shows.
bool is_schema(std::string_view line) {
  for (std::size_t at = line.find('('); at != std::string_view::npos; at = line.find('(', at + 1)) {
    const std::string_view inside = line.substr(at + 1);
    const std::string_view name = first_word(inside);
    const bool declares = !name.empty() && inside.substr(name.size()).starts_with(':');
    if (declares && at > 0 && is_name_char(line[at - 1])) return true;
    if (!name.empty()) return false;
  }
  return false;
}

// `let name = ..`; "let me explain" is prose. A name in brackets may be anything.
bool is_let(std::string_view line) {
  const std::string_view rest = strip(line.substr(3));
  return rest.starts_with('[') || strip(rest.substr(first_word(rest).size())).starts_with('=');
}

bool begins_query(std::string_view line, const std::function<bool(std::string_view)>& is_table) {
  constexpr std::array<std::string_view, 6> kWords = {"union", "print", "search",
                                                      "find",  "range", "datatable"};
  line = strip(line);
  const std::string_view word = first_word(line);
  if (line.starts_with("cluster(") || line.starts_with("database(")) return !is_schema(line);
  if (is_select(line)) return true;
  if (line.size() > 1 && line[0] == '.' && std::isalpha(static_cast<unsigned char>(line[1])) != 0)
    return true;
  if (word == "let") return is_let(line);
  // "find the rows" is prose as well; a word that KQL has is taken all the same.
  if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
  const std::string_view rest = strip(line.substr(word.size()));
  return is_table(word) && (rest.empty() || !is_name_char(rest[0])) && !is_schema(line);
}

// Where the string that begins at `at` with its quote ends: behind its other quote, or with the line. In
// @"..." a backslash is one, and a quote is written twice.
std::size_t string_end(std::string_view line, std::size_t at) {
  const char quote = line[at];
  const bool verbatim = at > 0 && line[at - 1] == '@';
  for (++at; at < line.size(); ++at) {
    const bool twice = verbatim && line.substr(at + 1).starts_with(quote);
    if (line[at] == quote && !twice) return at + 1;
    if (verbatim ? line[at] == quote : line[at] == '\\') ++at;
  }
  return line.size();
}

// How deep in brackets the end of a line is. Strings end with their line.
class Depth {
 public:
  void add(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '"' || c == '\'') {
        i = string_end(line, i) - 1;
      } else if (c == '/' && line.substr(i, 2) == "//") {
        return;
      } else if (c == '(' || c == '[' || c == '{') {
        ++depth_;
      } else if ((c == ')' || c == ']' || c == '}') && depth_ > 0) {
        --depth_;
      }
    }
  }
  bool inside() const { return depth_ > 0; }

 private:
  std::size_t depth_ = 0;
};

std::string_view without_label(std::string_view text) {
  text = strip(text);
  for (const std::string_view label : {"kql:", "query:", "answer:"}) {
    if (lower_ascii(text.substr(0, label.size())) == label) return strip(text.substr(label.size()));
  }
  return text;
}

std::optional<std::string_view> query_lines(std::string_view text,
                                            const std::function<bool(std::string_view)>& is_table) {
  std::optional<std::size_t> begin;
  std::size_t end = 0;
  bool select = false, over = false;
  Depth depth;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    if (over) return;
    const std::string_view shown = strip(line);
    const bool first = !begin && begins_query(shown, is_table);
    if (first) {
      begin = static_cast<std::size_t>(line.data() - text.data());
      select = is_select(shown);
    }
    if (!begin) return;
    if (select && shown.empty()) over = true;
    const bool belongs = first || depth.inside() || shown.starts_with('|') || shown.ends_with(';') ||
                         (select && !shown.empty());
    depth.add(line);
    if (belongs || depth.inside()) end = static_cast<std::size_t>(line.data() - text.data()) + line.size();
  });
  if (!begin) return std::nullopt;
  return strip(text.substr(*begin, end - *begin));
}

}  // namespace

std::optional<std::string> read_query(std::string_view text,
                                      const std::function<bool(std::string_view)>& parses,
                                      const std::function<bool(std::string_view)>& is_table) {
  constexpr std::array<std::string_view, 6> kTags = {"", "kql", "kusto", "csl", "sql", "text"};
  std::optional<std::string_view> fenced;
  for_each_fenced_block(text, [&](std::string_view word, std::string_view body) {
    const std::string tag = lower_ascii(word);
    if (!fenced && std::find(kTags.begin(), kTags.end(), tag) != kTags.end()) fenced = strip(body);
  });
  std::optional<std::string_view> query = fenced;
  if (!query) {
    const std::string_view rest = without_label(text);
    query = parses(rest) ? rest : query_lines(rest, is_table);
  }
  if (!query || query->empty()) return std::nullopt;
  return std::string(*query);
}

}  // namespace micius
