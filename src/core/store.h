// Where runs and records are kept.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/record.h"
#include "core/run.h"

namespace micius {

// Which records are there: (sample id, repeat). Failed ones are not, so that `resume` asks them again.
using DoneSet = std::set<std::pair<std::string, int>>;

// append() is one transaction: after a kill, every record is there whole or not at all. A record of the same
// (sample, repeat) replaces a failed one and is refused over a good one. Two processes may work on one store.
// Throws Error{kIo}.
class Store {
 public:
  virtual ~Store() = default;
  [[nodiscard]] virtual RunId begin(const RunSpec& spec, std::int64_t batch) = 0;
  virtual void append(RunId run, const Record& record) = 0;
  // Adds `wall_ns` of this execution and sets the status.
  virtual void finish(RunId run, RunStatus status, std::int64_t wall_ns) = 0;
  [[nodiscard]] virtual Run run(RunId run) const = 0;       // Error{kNotFound} with the runs there are
  [[nodiscard]] virtual std::vector<Run> runs() const = 0;  // by id
  [[nodiscard]] virtual DoneSet done(RunId run) const = 0;
  // In dataset order (that of RunSpec::sample_ids), then by repeat.
  virtual void for_each(RunId run, const std::function<void(const Record&)>& fn) const = 0;
};

}  // namespace micius
