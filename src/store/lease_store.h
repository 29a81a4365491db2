// A store for whoever does a lease: what evaluate() sees is the lease alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "core/store.h"
#include "store/work_queue.h"

namespace micius {

// Keeps records in batches: what was appended is written after a second at the latest with the next record,
// and by finish(), so a kill loses a second's answers, which are asked again. finish() ends the lease where
// the status is kComplete and gives it back else; the run's own status is not touched. Records of the lease
// that others have made are those of the store.
class LeaseStore final : public Store {
 public:
  // `on_lost` is called once, from append(), where another worker has the lease. All must outlive it.
  LeaseStore(SqlStore& store, WorkQueue& queue, WorkerId worker, const Lease& lease, const RunSpec& spec,
             const Clock& clock, std::function<void()> on_lost);

  [[nodiscard]] RunId begin(const RunSpec& spec, std::int64_t batch) override;
  void set_batch(RunId run, std::int64_t batch) override;
  void append(RunId run, const Record& record, std::int64_t wall_ns = 0) override;
  void finish(RunId run, RunStatus status, std::int64_t wall_ns,
              const std::optional<Estimate>& primary) override;
  [[nodiscard]] Run run(RunId run) const override;
  [[nodiscard]] std::vector<Run> runs() const override;
  [[nodiscard]] Json overview() const override;
  [[nodiscard]] DoneSet done(RunId run) const override;
  void for_each(RunId run, const std::function<void(const Record&)>& fn) const override;

  // Of this lease so far.
  std::size_t records() const { return records_; }
  std::size_t late() const { return late_; }
  bool is_done() const { return is_done_; }  // by us, for good

 private:
  void write(LeaseEnd end);

  SqlStore& store_;
  WorkQueue& queue_;
  const WorkerId worker_;
  const Lease lease_;
  const RunSpec& spec_;
  const Clock& clock_;
  std::function<void()> on_lost_;
  std::vector<Record> waiting_;
  Clock::time_point written_;
  std::int64_t wall_ns_ = 0;
  std::size_t records_ = 0, late_ = 0;
  bool is_lost_ = false, is_done_ = false;
};

}  // namespace micius
