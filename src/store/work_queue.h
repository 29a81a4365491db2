// Runs whose samples are done by workers, on any number of machines, a lease at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/run.h"
#include "core/store.h"
#include "store/sql_store.h"

namespace micius {

inline constexpr std::chrono::seconds kDefaultLease{60};

enum class WorkerId : std::int64_t {};

// Samples first .. end - 1 of a run's list, with all their repeats, and about how many tokens they are.
struct WorkRange {
  std::size_t first = 0, end = 0;
  std::int64_t tokens = 0;
};

// What all workers together may do with a remote model.
struct ModelLimits {
  std::string account = {};  // the model with its address; "": it is none
  std::optional<double> requests_per_minute = {}, tokens_per_minute = {};
  std::optional<double> budget_usd = {};
};

struct QueuedWork {
  std::string model;  // what a worker must have loaded
  std::span<const WorkRange> ranges;
  std::span<const Sample* const> samples;
  ModelLimits limits = {};
};

// A range that one worker has until its time is up. Whoever takes it afterwards gets a higher `taken`, by
// which the queue knows one holder from another.
struct Lease {
  std::int64_t id = 0, taken = 0;
  RunId run{};
  std::size_t first = 0, end = 0;
};

// A run of which something can be taken.
struct QueuedRun {
  RunId run{};
  std::string task, model;   // model: as add() was given it
  std::int64_t holders = 0;  // workers that have this model loaded
};

struct WorkerState {
  std::optional<RunId> run;
  std::string model;  // that it has loaded, or ""
  double samples_per_s = 0;
};

enum class LeaseEnd { kGoesOn, kDone };

// What a worker has made of its lease.
struct LeaseWork {
  const RunSpec& spec;
  std::span<const Record> records;  // of samples of the lease
  LeaseEnd end = LeaseEnd::kGoesOn;
};

struct Kept {
  std::size_t records = 0;
  std::size_t late = 0;  // somebody else had written them first, so they were dropped
  bool is_ours = true;   // false: the time was up and another worker has the lease, or had it
};

// Every call is one transaction, and all times are by the database's clock: no two machines need the same
// time. For one thread, like the store, which must outlive it. Throws Error{kIo}.
class WorkQueue {
 public:
  // A lease that is taken, or renewed, lasts for `lease_time`.
  WorkQueue(SqlStore& store, std::chrono::milliseconds lease_time);
  ~WorkQueue();

  // Makes work of an unfinished or stopped run. Samples of the run that have a record are passed over when
  // they are taken. A run that is in the queue stays as it is, but goes on if it was stopped. Its limits are
  // the new ones: the budget is that of all runs of this account and batch, and without one nothing bounds
  // what the run costs from now on; rates are those of the account in every batch, and one that is not given
  // stays as it is until the account's last run is finished.
  void add(RunId run, const QueuedWork& work);

  // A worker is alive until it leaves, or for `lease_time` after its last call.
  [[nodiscard]] WorkerId enter(const std::string& name);
  void leave(WorkerId worker);

  [[nodiscard]] std::vector<QueuedRun> open_runs() const;  // by id
  // Of those that nobody has, or whose time is up; absent where there is none.
  [[nodiscard]] std::optional<Lease> take(WorkerId worker, RunId run);
  // Renews the lease. false: it is somebody else's, or done.
  bool beat(WorkerId worker, const std::optional<Lease>& lease, const WorkerState& state);
  // Keeps records and renews the lease or ends it. What another worker has written first is dropped, whoever
  // has the lease.
  Kept keep(WorkerId worker, const Lease& lease, const LeaseWork& work);
  void give_back(const Lease& lease);
  // No lease of it is given out until it is added again, and its status is kStopped. Nothing where it is not
  // in the queue any more.
  void stop(RunId run, const std::string& why);

  // Good records that are there of the lease's samples.
  [[nodiscard]] DoneSet done(const Lease& lease) const;
  void for_each_score(const Lease& lease, const std::function<void(const Record&)>& fn) const;

  // Runs whose last lease is done. finish() takes such a run out of the queue and sets status and `primary`;
  // it is done once, by whoever comes first: false for the others.
  [[nodiscard]] std::vector<RunId> exhausted() const;
  bool finish(RunId run, const std::optional<Estimate>& primary);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Every run in the queue, stopped ones too.
std::set<RunId> queued_runs(const SqlStore& store);

}  // namespace micius
