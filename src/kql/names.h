// The names that a query uses, read from its tree alone: no schema is asked.
//
//   names_of(parse("cluster('c').database('d').T | where a > 1 | extend b = a"))
//     clusters {"c"}, databases {"d"}, tables {"T"}, columns {"a"}, created_columns {"b"}
//
// How a name is read, with case as written (a rule about case is the caller's):
//   tables     the head of a pipe, a whole statement, an operand of join, lookup, union, `find in` and
//              `search in`, the last step of `database(..).X` and `cluster(..).X`, the literal of
//              table('X'). `T*` stays as written.
//   columns    any other name that is read; of `a.b['c']` only `a`, of `$left.a` and `$right.a` only `a`. A
//              bare name in `in (X)` is a column: without a schema nobody can tell.
//   created    what an operator or a table in the text declares: extend b = .., parse .. with c,
//              datatable (d: long). A column that is created and then read is in both lists.
//   lets       names bound by `let` and `as`. They are neither tables nor columns, wherever they are read;
//              nor are the parameters of functions and of `declare query_parameters`.
//   functions  names that are called, plugins too; a keyword that only looks like a call (toscalar) is none.
// Clusters and databases are the literals of cluster('..') and database('..'), decoded and joined where they
// are adjacent; an argument that is no literal gives none, and CLUSTER('..') is another function.
#pragma once

#include <string>
#include <vector>

#include "kql/tree.h"

namespace micius::kql {

struct Names {
  // Each without repeats, in the order of first sight.
  std::vector<std::string> clusters, databases, tables, columns, created_columns, functions;
  // With repeats: a let when its value is read, an operator's keyword in the order of the text.
  std::vector<std::string> lets, operators;
};

// Of a tree with an error: the names of what was read before it. Linear in the size of the tree.
Names names_of(const Tree& tree);

}  // namespace micius::kql
