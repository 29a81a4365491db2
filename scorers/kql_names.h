// The names in a KQL query, and the catalog that they are looked up in.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "kql/tree.h"

namespace micius {

// Names that a catalog has. Clusters in the form that `plain_cluster` gives.
struct KqlCatalog {
  std::set<std::string, std::less<>> clusters, databases, tables, columns;
};

// By database; "" is all of them together. Throws Error naming file and field.
using KqlCatalogs = std::map<std::string, KqlCatalog>;
KqlCatalogs read_suite_catalog(const std::filesystem::path& path);   // catalog.json of the suite
KqlCatalogs read_public_schemas(const std::filesystem::path& path);  // database -> table -> column -> type

// The names of one query. Tables may be patterns ("Sys*").
struct KqlNames {
  std::set<std::string> clusters, databases, tables, columns;
  std::set<std::string> made;                    // names that the query makes: aliases, let, parameters
  std::set<std::string, std::less<>> functions;  // those that it calls
};

// "https://FleetNet.westeurope.kusto.windows.net" -> "fleetnet".
std::string plain_cluster(std::string_view name);

// Of a query that parses.
KqlNames names_of(const kql::Tree& tree);
// Of any text: strings behind `cluster(` and `database(`, straight or curly, and the tokens that are names of
// the catalog, but not those that a repeated schema declares.
KqlNames scanned_names(std::string_view text, const KqlCatalog& catalog);

// Kind and text of each token; strings by their value, neighbours as one.
std::set<std::string> token_set(std::string_view text);

// Is it a name that KQL itself makes: of a function that the query calls (`count_`, `avg_PowerW`,
// `percentile_PowerW_95`; make_list(a) makes `list_a`), for a name that is there twice (`Device1`), for a
// column without one (`Column1`, `print_0`)?
bool is_automatic_name(std::string_view name, const KqlCatalog& catalog, const KqlNames& names);

}  // namespace micius
