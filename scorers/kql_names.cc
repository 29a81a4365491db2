#include "scorers/kql_names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "kql/lexer.h"
#include "kql/names.h"

namespace micius {
namespace {

constexpr std::size_t kLongestName = 200;  // bytes; a longer one is none that a catalog or KQL would make

void add(KqlCatalogs& catalogs, const std::string& database, const std::string& cluster,
         const std::string& table) {
  for (KqlCatalog* catalog : {&catalogs[database], &catalogs[""]}) {
    if (!cluster.empty()) catalog->clusters.insert(plain_cluster(cluster));
    catalog->databases.insert(database);
    catalog->tables.insert(table);
  }
}

void add_column(KqlCatalogs& catalogs, const std::string& database, const std::string& column) {
  for (KqlCatalog* catalog : {&catalogs[database], &catalogs[""]}) catalog->columns.insert(column);
}

bool opens_quote(std::string_view text) {
  constexpr std::array<std::string_view, 6> kQuotes = {"\"", "'", "\u201c", "\u201d", "\u2018", "\u2019"};
  return std::any_of(kQuotes.begin(), kQuotes.end(), [&](std::string_view q) { return text.starts_with(q); });
}

// The text between quotes of any form at `at`, or "".
std::string between_quotes(std::string_view text, std::size_t at) {
  if (!opens_quote(text.substr(at))) return "";
  const std::size_t begin = at + (text[at] == '\xe2' ? 3 : 1);
  std::size_t end = begin;
  while (end < text.size() && end - begin < kLongestName && text[end] != '\n' &&
         !opens_quote(text.substr(end)))
    ++end;
  return std::string(text.substr(begin, end - begin));
}

std::string_view without_number(std::string_view name) {
  while (!name.empty() && name.back() >= '0' && name.back() <= '9') name.remove_suffix(1);
  return name;
}

// Does a function that the query calls begin the names of its columns with this?
bool makes_names(std::string_view prefix, const KqlNames& names) {
  for (const std::string_view verb : {"", "make_", "take_", "arg_"}) {
    if (names.functions.contains(std::string(verb) + std::string(prefix))) return true;
  }
  return names.functions.contains(std::string(prefix) + "s");  // percentiles
}

}  // namespace

KqlCatalogs read_suite_catalog(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  KqlCatalogs catalogs;
  for (const Json& cluster : JsonFields(json, where).at("clusters")) {
    const JsonFields c(cluster, where + ": clusters");
    for (const Json& database : c.at("databases")) {
      const JsonFields d(database, where + ": databases");
      for (const Json& table : d.at("tables")) {
        const JsonFields t(table, where + ": tables");
        add(catalogs, d.string("name"), c.string("name"), t.string("name"));
        for (const std::string& column : t.strings_or("columns", {}))
          add_column(catalogs, d.string("name"), column.substr(0, column.find(':')));
      }
    }
  }
  return catalogs;
}

KqlCatalogs read_public_schemas(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  KqlCatalogs catalogs;
  for (const auto& [database, tables] : json.items()) {
    for (const auto& [table, columns] : tables.items()) {
      // The file has no clusters; of these databases only Samples is asked for on one, the public "help".
      add(catalogs, database, database == "Samples" ? "help" : "", table);
      for (const auto& [column, type] : columns.items()) add_column(catalogs, database, column);
    }
  }
  return catalogs;
}

KqlNames names_of(const kql::Tree& tree) {
  kql::Names found = kql::names_of(tree);
  KqlNames names;
  for (const std::string& cluster : found.clusters) names.clusters.insert(plain_cluster(cluster));
  names.databases.insert(found.databases.begin(), found.databases.end());
  names.tables.insert(found.tables.begin(), found.tables.end());
  names.columns.insert(found.columns.begin(), found.columns.end());
  names.made.insert(found.created_columns.begin(), found.created_columns.end());
  names.made.insert(found.lets.begin(), found.lets.end());
  names.functions.insert(found.functions.begin(), found.functions.end());
  return names;
}

std::string plain_cluster(std::string_view name) {
  std::string plain = lower_ascii(strip(name));
  if (plain.starts_with("https://")) plain.erase(0, 8);
  while (plain.ends_with('/')) plain.pop_back();
  constexpr std::string_view kSuffix = ".kusto.windows.net";
  if (plain.ends_with(kSuffix)) {
    plain.resize(plain.size() - kSuffix.size());
    plain.resize(std::min(plain.find('.'), plain.size()));  // the region
  }
  return plain;
}

KqlNames scanned_names(std::string_view text, const KqlCatalog& catalog) {
  KqlNames names;
  const std::vector<kql::Token> tokens = kql::lex(text).tokens;
  const auto text_of = [&](std::size_t i) { return text.substr(tokens[i].offset, tokens[i].length); };
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const std::string_view word = text_of(i);
    if ((word == "cluster" || word == "database") && text_of(i + 1) == "(" && i + 2 < tokens.size()) {
      const std::size_t at = tokens[i + 2].offset;
      const std::string name = tokens[i + 2].kind == kql::Tok::kStringLiteral
                                   ? kql::decode_string(text_of(i + 2))
                                   : between_quotes(text, at);
      if (!name.empty() && word == "cluster") names.clusters.insert(plain_cluster(name));
      if (!name.empty() && word == "database") names.databases.insert(name);
    }
    // What a schema declares is not used: T(A:datetime, B:string).
    const std::string_view next = text_of(i + 1);
    if (next == ":" || next == "(") continue;
    const bool bracketed = tokens[i].kind == kql::Tok::kStringLiteral && i > 0 && text_of(i - 1) == "[";
    const std::string name = bracketed ? kql::decode_string(word) : std::string(word);
    if (catalog.tables.contains(name)) names.tables.insert(name);
    if (catalog.columns.contains(name)) names.columns.insert(name);
  }
  return names;
}

std::set<std::string> token_set(std::string_view text) {
  std::set<std::string> set;
  const std::vector<kql::Token> tokens = kql::lex(text).tokens;
  std::string joined;  // of string literals that follow each other
  bool in_string = false;
  for (const kql::Token& token : tokens) {
    const std::string_view word = text.substr(token.offset, token.length);
    const bool is_string = token.kind == kql::Tok::kStringLiteral;
    if (in_string && !is_string) set.insert("string " + std::exchange(joined, ""));
    if (is_string) joined += kql::decode_string(word);
    in_string = is_string;
    if (!is_string && token.kind != kql::Tok::kEndOfText)
      set.insert(std::string(kql::token_name(token.kind)) + " " + std::string(word));
  }
  return set;
}

bool is_automatic_name(std::string_view name, const KqlCatalog& catalog, const KqlNames& names) {
  if (name.size() > kLongestName) return false;
  const std::string_view base = without_number(name);
  const auto known = [&](std::string_view word) {
    return catalog.columns.contains(word) || names.made.contains(std::string(word));
  };
  if (base.size() < name.size() && (known(base) || base == "Column" || base == "print_")) return true;
  for (std::size_t at = name.find('_'); at != std::string_view::npos; at = name.find('_', at + 1)) {
    if (!makes_names(name.substr(0, at), names)) continue;
    // What is aggregated, and the percentile behind it; an expression leaves nothing to name.
    const std::string_view column = name.substr(at + 1), plain = without_number(column);
    const std::string_view of = plain.ends_with('_') ? plain.substr(0, plain.size() - 1) : plain;
    if (plain.empty() || plain == "_" || known(column) || known(plain) || known(of)) return true;
  }
  return false;
}

}  // namespace micius
