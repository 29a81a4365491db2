// Why answers were wrong, summed up: what the reasons of many records have in common.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/report.h"
#include "core/score.h"

namespace micius {

// The parts of a reason without what only one sample has: parts end at "; ", a part's details begin at the
// first ": " behind two words; what stands in quotes is "…", and so is the end of a long part.
//   "records missed: 4; Baseline is 'T4' instead of 'H100'"
//       -> {"records missed", "Baseline is … instead of …"}
// Sorted, each once.
std::vector<std::string> common_parts(std::string_view reason);

class WrongReasonsTally {
 public:
  void add(const Score& score);  // counts it if it is wrong, or right in part
  // The reasons sorted by how many have them, then by their words; at most eight, and none that a single
  // record has.
  WrongAnswers wrong() const;

 private:
  std::size_t n_ = 0;
  std::map<std::string, std::size_t, std::less<>> counts_;
};

}  // namespace micius
