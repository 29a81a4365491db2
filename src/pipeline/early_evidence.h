// What a run that `--stop-when-decided` ended says against a baseline.
#pragma once

#include <cstddef>
#include <string>

#include "core/store.h"
#include "stats/interval.h"

namespace micius {

// p and the 95 % interval hold although the run was ended when it looked decided (stats/sequential.h), and
// against any baseline.
struct EarlyEvidence {
  std::size_t samples = 0, planned = 0;  // pairs that were counted, and samples that the run was to do
  double difference = 0;                 // of the run's mean minus the baseline's, over them
  double p = 1;
  Interval interval{-1, 1};  // of the difference
};

// Of the metric of that name, the primary one where empty. Counted are the samples up to the first, in the
// run's order, that was not asked. `level`: where grades or clusters are counted there is no p of its own:
// then p is `level` if the sequence at 1 - level excludes no difference, else 1; so ask for the level that
// the smallest p of a family must meet. Throws as Duel does.
EarlyEvidence early_evidence(const Store& store, RunId baseline, const Run& run, const std::string& metric,
                             double level);

}  // namespace micius
