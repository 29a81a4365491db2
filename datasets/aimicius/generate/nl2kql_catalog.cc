#include "nl2kql_catalog.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace micius::aimicius::nl2kql {
namespace {

Table read_table(const JsonFields& f, const std::string& cluster, const std::string& database) {
  Table table;
  table.cluster = cluster;
  table.database = database;
  table.name = f.string("name");
  table.one = f.string("one");
  table.many = f.strings_or("many", {});
  table.time = f.string("time");
  table.entity = f.string("entity");
  table.lookup = f.boolean_or("lookup", false);
  table.live = !table.lookup && !f.boolean_or("inventory", false);
  std::set<std::string> names;
  for (const std::string& text : f.strings_or("columns", {})) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) fail(ErrorCode::kInvalidData, "{}: '{}' has no type", f.where(), text);
    table.columns.push_back({text.substr(0, colon), text.substr(colon + 1)});
    if (!names.insert(table.columns.back().name).second)
      fail(ErrorCode::kInvalidData, "{}: {} has '{}' twice", f.where(), table.name, text);
  }
  const Column* time = table.column(table.time);
  if (time == nullptr || time->type != "datetime" || table.column(table.entity) == nullptr ||
      table.many.empty())
    fail(ErrorCode::kInvalidData, "{}: {} needs a time, an entity and words", f.where(), table.name);
  return table;
}

Word read_word(const JsonFields& f) {
  Word word;
  word.column = f.string("column");
  word.role = f.string("role");
  word.one = f.string_or("one", "");
  word.many = f.string_or("many", "");
  word.unit = f.string_or("unit", "");
  word.yes = f.string_or("yes", "");
  word.no = f.string_or("no", "");
  word.prefixes = f.strings_or("prefixes", {});
  if (f.has("values")) {
    for (const Json& value : f.at("values")) word.values.push_back(value);
  }
  return word;
}

}  // namespace

std::string Table::source() const {
  return fmt::format("cluster(\"{}\").database('{}').{}", cluster, database, name);
}

const Column* Table::column(const std::string& wanted) const {
  const auto it =
      std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == wanted; });
  return it == columns.end() ? nullptr : &*it;
}

Catalog Catalog::read(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  const JsonFields file(json, where);
  if (file.integer("micius_nl2kql_catalog") != 1) fail(ErrorCode::kInvalidData, "{}: unknown version", where);
  Catalog catalog;
  std::set<std::string> names;
  for (const Json& cluster : file.at("clusters")) {
    const JsonFields c(cluster, where + ": clusters");
    for (const Json& database : c.at("databases")) {
      const JsonFields d(database, where + ": databases");
      for (const Json& table : d.at("tables")) {
        catalog.tables_.push_back(
            read_table(JsonFields(table, where + ": tables"), c.string("name"), d.string("name")));
        const std::string& name = catalog.tables_.back().name;
        if (!names.insert(name).second) fail(ErrorCode::kInvalidData, "{}: two tables '{}'", where, name);
      }
    }
  }
  for (const Json& word : file.at("words")) {
    catalog.words_.push_back(read_word(JsonFields(word, where + ": words")));
    const std::string& key = catalog.words_.back().column;
    const std::size_t dot = key.find('.');
    if (!catalog.has_column(dot == std::string::npos ? key : key.substr(dot + 1)))
      fail(ErrorCode::kInvalidData, "{}: words: no column '{}'", where, key);
  }
  return catalog;
}

const Table* Catalog::table(const std::string& database, const std::string& name) const {
  const auto it = std::find_if(tables_.begin(), tables_.end(),
                               [&](const Table& t) { return t.database == database && t.name == name; });
  return it == tables_.end() ? nullptr : &*it;
}

bool Catalog::has_column(const std::string& name) const {
  return std::any_of(tables_.begin(), tables_.end(),
                     [&](const Table& table) { return table.column(name) != nullptr; });
}

const Word* Catalog::word(const Table& table, const std::string& column, const std::string& role) const {
  const std::string own = table.name + "." + column;
  const Word* found = nullptr;
  for (const Word& word : words_) {
    if (word.role != role) continue;
    if (word.column == own) return &word;
    if (word.column == column) found = &word;
  }
  return found;
}

std::vector<std::pair<const Column*, const Word*>> Catalog::columns_as(const Table& table,
                                                                       const std::string& role) const {
  std::vector<std::pair<const Column*, const Word*>> found;
  for (const Column& column : table.columns) {
    if (const Word* one = word(table, column.name, role)) found.emplace_back(&column, one);
  }
  return found;
}

}  // namespace micius::aimicius::nl2kql
