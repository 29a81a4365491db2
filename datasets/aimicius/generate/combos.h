// Which DCWs a split may ask for. What is asked is divided by hashes, so that no combination stands in two
// splits and no (design, workload, criterion) of the test's new combinations is in the tuning data.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "phrasings.h"
#include "pool.h"
#include "vocabulary.h"

namespace micius::aimicius {

// The class of a question: vague, compare, criterion, sku or single, by the first that applies.
std::string group_of(const Dcw& dcw, const Vocabulary& vocabulary);

class Combos {
 public:
  // `taken`: combinations of curated questions; they belong to the test.
  Combos(const Vocabulary& vocabulary, const Pool& pool, const std::set<std::string>& taken);

  // All DCWs of a group that the split may use, in a fixed order.
  const std::vector<Dcw>& of(Split split, const std::string& group) const;

  // Is the workload kept out of the tuning data altogether?
  bool held_out(const std::string& workload) const;

 private:
  enum class Side { kTest, kTuning };

  void add(const Dcw& dcw);
  Side side(const std::string& design, const std::string& workload, const std::string& criterion);

  const Vocabulary& vocabulary_;
  std::set<std::string> taken_;
  std::map<std::string, Side> sides_;
  std::map<std::pair<Split, std::string>, std::vector<Dcw>> combos_;
};

}  // namespace micius::aimicius
