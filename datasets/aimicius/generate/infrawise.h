// Makes the cases of Infrawise: which DCW, how it is asked, with which records. Deterministic: the same pool,
// vocabulary and phrasings give the same cases.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "candidates.h"
#include "phrasings.h"
#include "pool.h"
#include "vocabulary.h"

namespace micius::aimicius {

struct Case {
  std::string id, group, slice, source, family, question;
  int difficulty = 1;
  Dcw dcw;
  std::vector<std::string> tags;
  Candidates candidates;
  std::string of;     // robust: the id of the test case that it asks in other words
  std::string frame;  // the question with its slots open, "" for a curated one; not written
};

using Splits = std::map<Split, std::vector<Case>>;

struct Sources {
  Vocabulary vocabulary;
  Pool pool;
  Phrasings phrasings;
  std::string canary;  // GUID
};

// A twin has its own stream, so it draws anew, and leaves the curated cases out.
struct Recipe {
  std::string stream = "aimicius-1";  // the first part of every random stream's name
  bool twin = false;
};

// All four splits; a twin has the test split alone. Throws Error{kInvalidData} if the sources cannot give
// them.
Splits make_splits(const Sources& sources, const Recipe& recipe);

// One line of a split's file.
std::string line_of(const Case& item, const std::string& canary);

}  // namespace micius::aimicius
