// Which run of a task is the best, and is it better than all others?
#pragma once

#include <vector>

#include "core/comparison.h"
#include "core/report.h"
#include "core/store.h"

namespace micius {

// Of each task that several runs have, the one with the best primary metric against each other one, as
// compare() does; Holm corrects within the task. `runs` are those of `reports`, by index, and so are the
// places of the comparisons.
ComparisonSet against_best(const Store& store, const std::vector<RunId>& runs,
                           const std::vector<Report>& reports);

}  // namespace micius
