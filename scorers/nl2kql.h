// Judges a KQL query against the reference by its text: does it parse, and does it name what it must?
#pragma once

#include <memory>

#include "scorers/registry.h"

namespace micius {

// The query is read by read_query. Values, each from 0 to 1:
//   names              mean of those of cluster, database, table and column that have a value
//   syntax_accuracy    the parser takes it (no schema, no semantics) and it is more than one bare unknown
//                      word
//   similarity         Jaccard of the sets of lexer tokens: 'x' = "x", blanks and comments do not count
//   cluster, database, table, column
//                      share of the reference's names that the answer has, by the name walk of both trees;
//                      absent where the reference has none. Clusters are compared without case, "https://"
//                      and ".kusto.windows.net", the others with case. Columns of the reference are those of
//                      the catalog alone, so `count_` and aliases never count. Naming more costs nothing
//                      here.
//   schema_valid       syntax, and every name is in the catalog or made by the query itself, with those that
//                      KQL makes of the functions called: count() makes count_, avg(PowerW) avg_PowerW
//   similarity_words   Jaccard of the sets of words split at blanks
// The verdict is kCorrect where names is 1 and the answer parses. A reference without a name (`print 1`) has
// no value of names; there an answer is correct that has the reference's tokens.
// Where the answer does not parse, its names come from a scan of its tokens, so that a missing bracket costs
// syntax and not everything: `SELECT Device FROM SyslogData` has the table and the column.
//
// Params: "catalog": "aimicius" (default, of the suite's folder) or "public" (of nl2kql/schemas.json in the
// data folder, where a sample sees the tables of its own database).
std::unique_ptr<Scorer> make_nl2kql_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
