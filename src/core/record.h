// One stored row: sample, what was said, score. Never changed after it is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/sample.h"
#include "core/score.h"
#include "core/turn.h"

namespace micius {

struct Record {
  Sample sample;
  int repeat = 0;
  std::vector<Turn> turns;         // one for most tasks; the last one may be the one that failed
  Score score;                     // kUnscored and empty if failed
  std::optional<Failure> failure;  // the sample failed for good
};

}  // namespace micius
