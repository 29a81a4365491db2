// `run --enqueue`: runs as work for `micius worker`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/places.h"
#include "cli/remote.h"
#include "core/run.h"
#include "core/task.h"
#include "pipeline/plan.h"
#include "store/work_queue.h"

namespace micius {

class Flags;

struct QueueFlags {
  bool enqueue = false;
  std::int64_t lease_tokens = 65'536;
};

void add_queue_flags(Flags& flags, QueueFlags& values);

struct PlannedTask {
  const Task& task;
  const Plan& plan;
};

// Consecutive samples of about `lease_tokens` together, at least one and at most 256.
std::vector<WorkRange> cut_work(std::span<const std::int64_t> tokens, std::int64_t lease_tokens);

// Makes work of the run and says what was made. Workers keep to the limits of `remote` together.
std::string enqueue(SqlStore& store, RunId run, const PlannedTask& planned, const QueueFlags& flags,
                    const ApiSettings& remote);

// An unfinished run with the same spec, if there is one to go on with. Without --enqueue, throws as
// fail_queued() for one that workers do.
std::optional<RunId> unfinished_run(const SqlStore& store, const RunSpec& spec, const QueueFlags& flags,
                                    const PlaceFlags& places);

// Error{kUsage}: the run is in the queue.
[[noreturn]] void fail_queued(RunId run, const PlaceFlags& places);

}  // namespace micius
