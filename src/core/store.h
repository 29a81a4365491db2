// Where runs and records are kept.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "core/record.h"
#include "core/report.h"
#include "core/run.h"

namespace micius {

// Which records are there: (sample id, repeat). Failed ones are not, so that `resume` asks them again.
using DoneSet = std::set<std::pair<std::string, int>>;

// append() is one transaction: after a kill, every record is there whole or not at all. A record of the same
// (sample, repeat) replaces a failed one and is refused over a good one. Texts are valid UTF-8 and come back
// byte for byte; of Timing the durations come back, counted from `planned`. Two processes may work on one
// store; an object is for one thread at a time. Throws Error{kIo}, and Error{kInvalidData} for a damaged
// file.
class Store {
 public:
  virtual ~Store() = default;
  [[nodiscard]] virtual RunId begin(const RunSpec& spec, std::int64_t batch) = 0;
  // `latest` finds the run among those of this batch from now on: a later `micius run` goes on with it.
  virtual void set_batch(RunId run, std::int64_t batch) = 0;
  // Adds `wall_ns`, what this execution took since its last call, to the run's time.
  virtual void append(RunId run, const Record& record, std::int64_t wall_ns = 0) = 0;
  // The same for several, each of another (sample, repeat): one transaction where the store can.
  virtual void append_all(RunId run, std::span<const Record> records, std::int64_t wall_ns) {
    for (const Record& record : records) append(run, record, std::exchange(wall_ns, 0));
  }
  // Adds `wall_ns` as append() does, sets the status and keeps the primary metric's estimate for people who
  // look at the database.
  virtual void finish(RunId run, RunStatus status, std::int64_t wall_ns,
                      const std::optional<Estimate>& primary) = 0;
  [[nodiscard]] virtual Run run(RunId run) const = 0;       // Error{kNotFound} with the runs there are
  [[nodiscard]] virtual std::vector<Run> runs() const = 0;  // by id
  // One object a run with the columns of the view `v_runs`, by id; what is not known is null.
  [[nodiscard]] virtual Json overview() const = 0;
  [[nodiscard]] virtual DoneSet done(RunId run) const = 0;
  // In dataset order (that of RunSpec::sample_ids), then by repeat.
  virtual void for_each(RunId run, const std::function<void(const Record&)>& fn) const = 0;
  // The same for those who need no turns; a store may leave them out, which is faster.
  virtual void for_each_score(RunId run, const std::function<void(const Record&)>& fn) const {
    for_each(run, fn);
  }
};

}  // namespace micius
