#include "store/lease_store.h"

#include <utility>

namespace micius {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::chrono::seconds kLongestWait{1};

}  // namespace

LeaseStore::LeaseStore(LeaseContext context) : context_(std::move(context)), written_(context_.clock.now()) {}

DoneSet LeaseStore::add(const Lease& lease) {
  Part& part = parts_.emplace_back(Part{lease, context_.queue.done(lease)});
  part.left = (lease.end - lease.first) * static_cast<std::size_t>(context_.spec.repeats) - part.done.size();
  for (std::size_t i = lease.first; i < lease.end; ++i)
    part_of_.emplace(context_.spec.sample_ids.at(i), &part);
  return part.done;
}

RunId LeaseStore::begin(const RunSpec& spec, std::int64_t batch) { return context_.store.begin(spec, batch); }
void LeaseStore::set_batch(RunId run, std::int64_t batch) { context_.store.set_batch(run, batch); }
Run LeaseStore::run(RunId run) const { return context_.store.run(run); }
std::vector<Run> LeaseStore::runs() const { return context_.store.runs(); }
Json LeaseStore::overview() const { return context_.store.overview(); }

DoneSet LeaseStore::done(RunId) const {
  DoneSet all;
  for (const Part& part : parts_) all.insert(part.done.begin(), part.done.end());
  return all;
}

void LeaseStore::for_each(RunId, const std::function<void(const Record&)>& fn) const {
  for (const Part& part : parts_) context_.queue.for_each_score(part.lease, fn);
}

void LeaseStore::append(RunId, const Record& record, std::int64_t wall_ns) {
  Part& part = *part_of_.at(record.sample.id);
  part.waiting.push_back(record);
  --part.left;
  ++waiting_;
  wall_ns_ += wall_ns;
  if (part.left == 0 || waiting_ >= kBatch || context_.clock.now() - written_ > kLongestWait) write_all();
}

void LeaseStore::finish(RunId run, RunStatus, std::int64_t wall_ns, const std::optional<Estimate>&) {
  wall_ns_ += wall_ns;
  write_all();
  // Once: the row of the run is one for all workers.
  context_.store.append_all(run, {}, std::exchange(wall_ns_, 0));
  for (const Part& part : parts_)
    if (!part.has_ended) context_.queue.give_back(part.lease);
}

void LeaseStore::write_all() {
  for (Part& part : parts_)
    if (!part.waiting.empty() || (part.left == 0 && !part.has_ended)) write(part);
  waiting_ = 0;
  written_ = context_.clock.now();
}

void LeaseStore::write(Part& part) {
  const std::vector<Record> records = std::exchange(part.waiting, {});
  part.has_ended = part.left == 0;
  if (part.has_ended && context_.on_end) context_.on_end(part.lease);
  const Kept kept =
      context_.queue.keep(context_.worker, part.lease,
                          {context_.spec, records, part.has_ended ? LeaseEnd::kDone : LeaseEnd::kGoesOn});
  records_ += kept.records;
  late_ += kept.late;
  if (part.has_ended && kept.is_ours) ++leases_;
  if (!kept.is_ours && !std::exchange(is_lost_, true)) context_.on_lost();
}

}  // namespace micius
