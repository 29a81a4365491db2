// Makes the cases of NL2KQL: which intent about which table, with which values, in which words.
// Deterministic: the same catalog, intents and phrasings give the same cases.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nl2kql_draw.h"
#include "phrasings.h"

namespace micius::aimicius::nl2kql {

inline constexpr std::size_t kFewestWords = 5, kMostWords = 60;  // of a question

// What the parser finds in a query.
struct Facts {
  std::vector<std::string> clusters, databases, tables, columns;  // columns: those of the catalog
  std::vector<std::string> created;                               // names that the query makes
  int difficulty = 1;
  std::vector<std::string> tags;  // join, let, union, series: what is in it
};

struct Item {
  std::string id, group, slice, source, family, combo, question, query;
  std::vector<std::string> tags;
  Facts facts;
  std::string of;     // robust: the id of the test case that it asks in other words
  std::string shape;  // the question with its slots open; not written
};

using ItemSplits = std::map<Split, std::vector<Item>>;

struct Curated {
  std::string question, query;  // the query as it goes into a case
};

struct KqlSources {
  Catalog catalog;
  Intents intents;
  std::vector<Family> families;
  std::vector<std::string> contexts;  // sentences that say nothing, put before a question as noise
  std::vector<Curated> curated;
  static KqlSources read(const std::filesystem::path& folder);
};

// Throws Error{kInvalidData} for a query that does not parse, naming `where`.
Facts facts_of(const std::string& query, const Catalog& catalog, const std::string& where);

// All four splits; a twin (`stream` other than "aimicius-1") has the test split alone, without curated cases.
// Throws Error{kInvalidData} if the sources cannot give them.
ItemSplits make_items(const KqlSources& sources, const std::string& stream);

// What the build refuses: a question of fewer than 5 or more than 60 words, asked twice, or with an open
// slot; a query without cluster and database, with a name that is not in the catalog, or that makes a name of
// the catalog anew; a combination in two splits; a test-only family in dev or tuning; a test question within
// 0.15 of its length in edit distance of a tuning question, slots open.
void lint_items(const ItemSplits& splits, const Catalog& catalog);

std::string line_of(const Item& item, const std::string& canary);

}  // namespace micius::aimicius::nl2kql
