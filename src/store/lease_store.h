// A store for whoever does leases of a run: what evaluate() sees is the leases alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "core/store.h"
#include "store/work_queue.h"

namespace micius {

// All must outlive the store.
struct LeaseContext {
  SqlStore& store;
  WorkQueue& queue;
  WorkerId worker{};
  const RunSpec& spec;  // of the run that the leases are of
  const Clock& clock;
  std::function<void()> on_lost;  // once, from append() or finish(): another worker has one of them
  std::function<void(const Lease&)> on_end;  // one is about to be ended; may be empty
};

// Keeps records in batches: what was appended is written after a second at the latest with the next record,
// with the last one of a lease, and by finish(), so a kill loses a second's answers, which are asked again. A
// lease ends with its last record; finish() gives those back that have not ended. The run's own status is not
// touched. Records of the leases that others have made are those of the store.
class LeaseStore final : public Store {
 public:
  explicit LeaseStore(LeaseContext context);

  // One that the worker has. Gives what is done of it.
  DoneSet add(const Lease& lease);

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

  // Of these leases so far.
  std::size_t records() const { return records_; }
  std::size_t late() const { return late_; }
  std::size_t leases() const { return leases_; }  // done by us, for good

 private:
  struct Part {
    Lease lease;
    DoneSet done;
    std::size_t left = 0;  // records that are not there yet
    std::vector<Record> waiting = {};
    bool has_ended = false;
  };
  void write_all();
  void write(Part& part);

  const LeaseContext context_;
  std::deque<Part> parts_;
  std::unordered_map<std::string_view, Part*> part_of_;  // by sample id
  std::size_t waiting_ = 0;
  Clock::time_point written_;
  std::int64_t wall_ns_ = 0;
  std::size_t records_ = 0, late_ = 0, leases_ = 0;
  bool is_lost_ = false;
};

}  // namespace micius
