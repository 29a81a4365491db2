// Which groups a sample is in.
#pragma once

#include <set>
#include <string>

#include "core/sample.h"

namespace micius {

// The keys of a sample under a field of its `extra`: the word or number there, or each one of a list. Empty
// where the field is not there or holds something else.
std::set<std::string> group_keys(const Sample& sample, const std::string& field);

// How groups are ordered: numbers by size and before words, words by their bytes.
struct KeyOrder {
  bool operator()(const std::string& a, const std::string& b) const;
};

}  // namespace micius
