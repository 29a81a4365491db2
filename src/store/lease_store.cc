#include "store/lease_store.h"

#include <utility>

namespace micius {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::chrono::seconds kLongestWait{1};

}  // namespace

LeaseStore::LeaseStore(SqlStore& store, WorkQueue& queue, WorkerId worker, const Lease& lease,
                       const RunSpec& spec, const Clock& clock, std::function<void()> on_lost)
    : store_(store),
      queue_(queue),
      worker_(worker),
      lease_(lease),
      spec_(spec),
      clock_(clock),
      on_lost_(std::move(on_lost)),
      written_(clock.now()) {}

RunId LeaseStore::begin(const RunSpec& spec, std::int64_t batch) { return store_.begin(spec, batch); }
void LeaseStore::set_batch(RunId run, std::int64_t batch) { store_.set_batch(run, batch); }
Run LeaseStore::run(RunId run) const { return store_.run(run); }
std::vector<Run> LeaseStore::runs() const { return store_.runs(); }
Json LeaseStore::overview() const { return store_.overview(); }
DoneSet LeaseStore::done(RunId) const { return queue_.done(lease_); }

void LeaseStore::for_each(RunId, const std::function<void(const Record&)>& fn) const {
  queue_.for_each_score(lease_, fn);
}

void LeaseStore::append(RunId, const Record& record, std::int64_t wall_ns) {
  waiting_.push_back(record);
  wall_ns_ += wall_ns;
  if (waiting_.size() >= kBatch || clock_.now() - written_ > kLongestWait) write(LeaseEnd::kGoesOn);
}

void LeaseStore::finish(RunId, RunStatus status, std::int64_t wall_ns, const std::optional<Estimate>&) {
  wall_ns_ += wall_ns;
  write(status == RunStatus::kComplete ? LeaseEnd::kDone : LeaseEnd::kGoesOn);
  if (status != RunStatus::kComplete) queue_.give_back(lease_);
}

void LeaseStore::write(LeaseEnd end) {
  const std::vector<Record> records = std::exchange(waiting_, {});
  const Kept kept = queue_.keep(worker_, lease_, {spec_, records, std::exchange(wall_ns_, 0), end});
  written_ = clock_.now();
  records_ += kept.records;
  late_ += kept.late;
  is_done_ = end == LeaseEnd::kDone && kept.is_ours;
  if (!kept.is_ours && !std::exchange(is_lost_, true)) on_lost_();
}

}  // namespace micius
