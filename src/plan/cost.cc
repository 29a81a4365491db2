#include "plan/cost.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "base/error.h"
#include "plan/validity.h"

namespace micius::plan {
namespace {

constexpr int kMostChunks = 4'096;
// Keeps every sum within 64 bits: 20,000 steps over at most 127 links each.
constexpr std::int64_t kLongestTransferPs = 1'000'000'000'000;
constexpr std::int64_t kMostBytes = 1'000'000'000'000;

}  // namespace

CostModel::CostModel(const Machine& machine, int chunks_per_gpu, std::int64_t chunk_bytes,
                     const std::string& where)
    : machine_(machine), chunks_(chunks_per_gpu), chunk_bytes_(chunk_bytes) {
  if (chunks_ < 1 || chunks_ > kMostChunks / machine.gpus()) {
    fail(ErrorCode::kInvalidData, "{}: chunks per GPU must be from 1 to {} for {} GPUs, found {}", where,
         kMostChunks / machine.gpus(), machine.gpus(), chunks_);
  }
  if (chunk_bytes_ < 1 || chunk_bytes_ > kMostBytes) {
    fail(ErrorCode::kInvalidData, "{}: bytes of a chunk must be from 1 to 10^12, found {}", where,
         chunk_bytes_);
  }
  for (const Link& link : machine.links()) {
    transfer_ps_.push_back((chunk_bytes_ * 1'000'000 + link.mbps / 2) / link.mbps);
    if (transfer_ps_.back() > kLongestTransferPs) {
      fail(ErrorCode::kInvalidData, "{}: a chunk of {} bytes takes more than a second on the link {} -> {}",
           where, chunk_bytes_, machine.nodes()[link.from], machine.nodes()[link.to]);
    }
  }
  const int gpus = machine.gpus();
  for (int src = 0; src < gpus; ++src) {
    for (int dst = 0; dst < gpus; ++dst) {
      std::int64_t sum = 0;
      for (const int link : machine.route(src, dst))
        sum += machine.links()[link].latency_ps + transfer_ps_[link];
      route_ps_.push_back(sum);
    }
  }
}

std::int64_t CostModel::route_ps(int src, int dst) const {
  return route_ps_[static_cast<std::size_t>(src * machine_.gpus() + dst)];
}

Outcome CostModel::run(const Plan& plan) const {
  Checked checked = check(machine_, chunks_, plan);
  if (checked.outcome.valid) {
    checked.outcome.latency_ps =
        plan.kind == PlanKind::kRounds ? rounds_ps(checked.executed) : list_ps(checked.executed);
  }
  return std::move(checked.outcome);
}

std::int64_t CostModel::round_ps(std::span<const Step> round) const {
  std::vector<std::int64_t> load(machine_.links().size());
  for (const Step& step : round) {
    for (const int link : machine_.route(step.src, step.dst)) ++load[link];
  }
  std::int64_t longest = 0;
  for (const Step& step : round) {
    std::int64_t queue = 0;
    for (const int link : machine_.route(step.src, step.dst))
      queue = std::max(queue, (load[link] - 1) * transfer_ps_[link]);
    longest = std::max(longest, route_ps(step.src, step.dst) + queue);
  }
  return longest;
}

std::int64_t CostModel::rounds_ps(const Plan& executed) const {
  std::int64_t total = 0;
  std::size_t begin = 0;
  for (const std::size_t end : executed.round_ends) {
    total += round_ps(std::span(executed.steps).subspan(begin, end - begin));
    begin = end;
  }
  return total;
}

namespace {

// The list's event loop. A queue's head is either ready, in the heap by the start it could have had when it
// was put there, or waits for its chunk. Links only become busier, so a start never comes earlier than the
// heap says, and a head whose start has not moved is the true first.
class ListRun {
 public:
  ListRun(const CostModel& model, const std::vector<Step>& steps)
      : model_(model), machine_(model.machine()), steps_(steps) {
    const auto gpus = static_cast<std::size_t>(machine_.gpus());
    arrival_.assign(gpus * gpus * static_cast<std::size_t>(model.chunks_per_gpu()), kNotPlaced);
    waiting_.assign(arrival_.size(), kNone);
    next_waiting_.assign(steps.size(), kNone);
    next_in_queue_.assign(steps.size(), kNone);
    free_.assign(machine_.links().size(), 0);
    for (int gpu = 0; gpu < machine_.gpus(); ++gpu) {
      for (int chunk = 0; chunk < model.chunks_per_gpu(); ++chunk) arrival_[slot(gpu, gpu, chunk)] = 0;
    }
  }

  std::int64_t run() {
    open_queues();
    std::int64_t last = 0;
    while (!ready_.empty()) {
      const auto [start, index] = ready_.top();
      ready_.pop();
      const std::int64_t now = start_of(index);
      if (now > start) {
        ready_.emplace(now, index);
      } else {
        last = std::max(last, place(index, start));
      }
    }
    return last;
  }

 private:
  static constexpr std::int64_t kNotPlaced = -1;
  static constexpr int kNone = -1;

  std::size_t slot(int gpu, int owner, int chunk) const {
    const auto gpus = static_cast<std::size_t>(machine_.gpus());
    return (static_cast<std::size_t>(gpu) * gpus + owner) * model_.chunks_per_gpu() + chunk;
  }
  std::size_t source_slot(int index) const {
    const Step& step = steps_[index];
    return slot(step.src, step.owner, step.chunk);
  }

  void open_queues() {
    std::vector<int> tail(machine_.links().size(), kNone);
    std::vector<int> heads;
    for (int i = 0; i < static_cast<int>(steps_.size()); ++i) {
      int& last = tail[machine_.route(steps_[i].src, steps_[i].dst).front()];
      if (last == kNone)
        heads.push_back(i);
      else
        next_in_queue_[last] = i;
      last = i;
    }
    for (const int head : heads) become_head(head);
  }

  void become_head(int index) {
    const std::size_t source = source_slot(index);
    if (arrival_[source] != kNotPlaced) {
      ready_.emplace(start_of(index), index);
    } else {
      next_waiting_[index] = std::exchange(waiting_[source], index);
    }
  }

  std::int64_t start_of(int index) const {
    const Step& step = steps_[index];
    std::int64_t start = arrival_[source_slot(index)], offset = 0;
    for (const int link : machine_.route(step.src, step.dst)) {
      start = std::max(start, free_[link] - offset);
      offset += machine_.links()[link].latency_ps + model_.transfer_ps(link);
    }
    return start;
  }

  // Returns the arrival.
  std::int64_t place(int index, std::int64_t start) {
    const Step& step = steps_[index];
    const auto route = machine_.route(step.src, step.dst);
    std::int64_t latency = 0, offset = 0;
    for (const int link : route) latency += machine_.links()[link].latency_ps;
    for (const int number : route) {
      const Link& link = machine_.links()[number];
      const bool port = std::min(link.from, link.to) < machine_.gpus();
      free_[number] = start + offset + model_.transfer_ps(number) + (port ? latency : 0);
      offset += link.latency_ps + model_.transfer_ps(number);
    }
    const std::size_t target = slot(step.dst, step.owner, step.chunk);
    arrival_[target] = start + offset;
    for (int head = std::exchange(waiting_[target], kNone); head != kNone; head = next_waiting_[head])
      ready_.emplace(start_of(head), head);
    if (next_in_queue_[index] != kNone) become_head(next_in_queue_[index]);
    return start + offset;
  }

  using Ready = std::pair<std::int64_t, int>;  // start, step number

  const CostModel& model_;
  const Machine& machine_;
  const std::vector<Step>& steps_;
  std::vector<std::int64_t> arrival_;  // [gpu][owner][chunk]
  std::vector<int> waiting_;           // [gpu][owner][chunk]: a head that waits for it; more by next_waiting_
  std::vector<int> next_waiting_, next_in_queue_;
  std::vector<std::int64_t> free_;  // [link]
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready_;
};

}  // namespace

std::int64_t CostModel::list_ps(const Plan& executed) const { return ListRun(*this, executed.steps).run(); }

}  // namespace micius::plan
