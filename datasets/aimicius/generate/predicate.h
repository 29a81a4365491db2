// The match predicate a second time, written apart from the vocabulary's rules: regular expressions over what
// a candidate shows. The build compares the two; a case on which they differ is not made.
#pragma once

#include <map>
#include <regex>
#include <string>
#include <utility>

#include "base/json.h"

namespace micius::aimicius {

class TextPredicate {
 public:
  // Does a shown candidate fit the DCW? Reads hardware, sku and workload, and for GEMM the precision.
  bool fits(const Json& candidate, const Json& dcw);

 private:
  bool fits_design(const Json& candidate, const std::string& name);
  bool fits_workload(const Json& candidate, const std::string& name);
  bool matches(const std::string& text, const std::string& pattern);

  std::map<std::string, std::regex> compiled_;
  std::map<std::pair<std::string, std::string>, bool> known_;  // what matches() said of (pattern, text)
};

}  // namespace micius::aimicius
