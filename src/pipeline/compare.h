// Runs of the same tasks, paired sample by sample.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/comparison.h"
#include "core/store.h"

namespace micius {

// kForce compares all the same and says so. kNote, for a page that has more to show than comparisons: the
// same, and what cannot be compared at all becomes a note.
enum class Incomparable { kRefuse, kForce, kNote };

struct CompareOptions {
  std::string metric;  // the primary one where empty
  Incomparable incomparable = Incomparable::kRefuse;
  bool groups = false;
  std::size_t bootstrap = 0;  // draws of BCa's interval of the difference; 0: none
};

// The runs of one task are its sides, in the order given: the first is A and is held against each other one.
// A sample that one side lacks is left out and counted; values are averaged over repeats first.
// Where every value is 0 or 1: Tango's interval and McNemar's mid-p test, with the exact one beside it. Else:
// t interval and sign flips, with Wilcoxon's test beside them. Where samples come in clusters
// (RunSpec::cluster) of more than one: the cluster-robust t interval and flips of whole clusters. Holm
// corrects over all comparisons of the set. The same of every group, where asked for, corrected over the
// comparison's groups. Three sides or more are also ranked (Bradley-Terry). Throws Error{kUndecided} for what
// is not comparable (task version, shots, metric, content of a paired sample; not if forced, then it is said)
// and for runs without a common sample, and Error{kUsage} for runs of which no two are of one task, an
// unknown metric, or one that is not a mean of the samples' values; with kNote none of these.
ComparisonSet compare(const Store& store, const std::vector<RunId>& runs, const CompareOptions& options);

// Two runs of one task, uncorrected and without a finding. Absent where they have no scored sample in common.
std::optional<Comparison> compare_pair(const Store& store, RunId a, RunId b, const CompareOptions& options);

}  // namespace micius
