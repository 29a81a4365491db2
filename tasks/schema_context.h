// The part of a schema that a prompt has room for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace micius {

struct SchemaTable {
  std::string cluster, database, name;
  std::vector<std::string> columns;  // names
  std::string line;                  // cluster("c").database("d").T(A:datetime, B:string)
};

// Throws Error naming file and field.
std::vector<SchemaTable> read_suite_schema(const std::filesystem::path& path);  // catalog.json of the suite
std::vector<SchemaTable> read_public_schema(
    const std::filesystem::path& path);  // database -> table -> column -> type

struct SchemaRequest {
  std::string id;  // of the case: seeds the order
  std::string question;
  std::set<std::string> databases, tables, columns;  // of the reference
};

class SchemaContext {
 public:
  explicit SchemaContext(std::vector<SchemaTable> tables) : tables_(std::move(tables)) {}

  // The lines of the reference's tables, in the schema's order.
  std::string gold(const SchemaRequest& request) const;
  // The same and what else fits into `bytes`, line ends counted, nearest first; in a random order. More than
  // `bytes` only if the reference's tables are.
  std::string budget(const SchemaRequest& request, std::size_t bytes) const;

 private:
  std::vector<std::size_t> by_nearness(const SchemaRequest& request) const;
  bool is_gold(const SchemaTable& table, const SchemaRequest& request) const;

  std::vector<SchemaTable> tables_;
};

}  // namespace micius
