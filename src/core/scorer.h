// Judges what was said about one sample.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/sample.h"
#include "core/score.h"
#include "core/turn.h"

namespace micius {

// Pure: same arguments, same score. Safe to call from several threads. Does not throw for bad model output.
class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual std::string_view name() const = 0;
  // `turns` has at least one turn and none that failed.
  [[nodiscard]] virtual Score score(const Sample& sample, std::span<const Turn> turns) const = 0;
  // Does the external work after each completion (runs the command, the program) and returns what it saw;
  // that is stored with the turn and is all that `score` and Task::next may read of it.
  virtual std::string observe(const Sample& sample, std::span<const Turn> turns) const;
  // The names of all metrics it can give a value of; a task file may only ask for these.
  virtual std::vector<std::string> metrics() const;
  // What it was made with that may change a score (thresholds, models that it asks), kept with a run; empty
  // where that is nothing.
  virtual Json environment() const;
};

}  // namespace micius
