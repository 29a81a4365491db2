// The catalog of NL2KQL: clusters, databases, tables, columns, and how people speak of them.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace micius::aimicius::nl2kql {

struct Column {
  std::string name, type;
};

// What a column is called in a question, and values that fit it.
struct Word {
  std::string column;  // "Severity", or "Tickets.Severity" where one table differs
  std::string role;    // entity, cat, num, text or flag
  std::string one, many, unit, yes, no;
  std::vector<Json> values;
  std::vector<std::string> prefixes;  // of an entity's names
};

struct Table {
  std::string cluster, database, name;
  std::string one;                // "Xid event"
  std::vector<std::string> many;  // "Xid events", "Xid errors"
  std::string time, entity;       // columns
  bool lookup = false;            // one row an entity: what others are joined with
  bool live = true;               // rows are events or samples; false: an inventory
  std::vector<Column> columns;

  std::string source() const;  // cluster("c").database('d').T
  const Column* column(const std::string& name) const;
};

class Catalog {
 public:
  // Throws Error{kInvalidData} for a file that breaks a rule: names used twice, a word for a column that is
  // not there, a time column that is no datetime.
  static Catalog read(const std::filesystem::path& path);

  const std::vector<Table>& tables() const { return tables_; }
  // Null where there is none.
  const Table* table(const std::string& database, const std::string& name) const;
  bool has_column(const std::string& name) const;
  // The word for the table's column in that role, or null.
  const Word* word(const Table& table, const std::string& column, const std::string& role) const;
  // All columns of the table that have a word in that role.
  std::vector<std::pair<const Column*, const Word*>> columns_as(const Table& table,
                                                                const std::string& role) const;

 private:
  std::vector<Table> tables_;
  std::vector<Word> words_;
};

}  // namespace micius::aimicius::nl2kql
