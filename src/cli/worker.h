// A process that takes work out of the queue until there is none.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/guarded_limits.h"
#include "cli/heartbeat.h"
#include "cli/reopen.h"
#include "store/work_queue.h"

namespace micius {

struct WorkerOptions {
  std::string name;
  std::chrono::milliseconds lease_time = kDefaultLease;
  std::optional<std::chrono::seconds> max_idle = {};  // absent: waits for work until it is stopped
};

struct WorkerSummary {
  std::size_t leases = 0, records = 0, late = 0, failed = 0;
  std::size_t finished = 0;  // runs whose last sample it was, or found to be
  std::size_t stopped = 0;   // runs that cannot go on
  std::size_t refused = 0;   // runs that cannot be done here
};

// In which order a worker tries them: the model it has loaded first, of these its task, whose prompts begin
// alike; else the model that the fewest workers have; then the oldest.
std::vector<QueuedRun> by_preference(std::vector<QueuedRun> runs, const std::string& model,
                                     const std::string& task);

// The model stays loaded from one lease to the next.
class Worker {
 public:
  // `database`: where more connections go to, for the heartbeat and the limits of remote models. All of the
  // context must outlive it.
  Worker(const ReopenContext& context, const std::string& database, WorkerOptions options,
         std::stop_token stop);
  ~Worker();

  // Until it is stopped or was idle for too long. After a stop the lease is given back. Throws Error{kIo}
  // where the database is lost, and Interrupted.
  WorkerSummary work();

 private:
  std::optional<Lease> next_lease();
  bool prepare(const QueuedRun& run);
  void load(const QueuedRun& queued, const Run& run);
  bool keeps_limits();
  // This lease, and others of the run as long as there are: the next one is taken while the last samples of
  // the one before are under way.
  void do_leases(const Lease& first);
  std::vector<std::size_t> samples_of(const Lease& lease) const;
  void stop_run(RunId run, const std::string& why);
  void finish_runs();
  void rest(std::chrono::milliseconds time);

  // What is loaded.
  struct Loaded {
    std::string model_key;
    bool has_budget = false;
    std::unique_ptr<Runner> runner;
    std::optional<Run> run;
    std::optional<ReopenedTask> task;
    std::vector<std::size_t> chosen;  // Plan::chosen of the whole run
  };

  const ReopenContext& context_;
  const std::string database_;
  const WorkerOptions options_;
  std::stop_source stop_;  // asked from outside, or because the heart stopped
  std::stop_callback<std::function<void()>> stopping_;
  WorkQueue queue_;
  const WorkerId id_;
  std::unique_ptr<GuardedLimits>
      limits_;  // once a remote model was asked; before the runner, which uses them
  Loaded loaded_;
  std::set<RunId> refused_;
  WorkerSummary summary_;
  Heartbeat heart_;  // last: its thread uses what is above
};

}  // namespace micius
