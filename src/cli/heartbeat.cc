#include "cli/heartbeat.h"

#include <algorithm>
#include <utility>

namespace micius {
namespace {

constexpr std::chrono::milliseconds kLongestInterval{5000};
constexpr double kNewest = 0.5;  // share of the last interval in the rate

bool is_same(const Lease& a, const Lease& b) { return a.id == b.id && a.taken == b.taken; }

}  // namespace

Heartbeat::Heartbeat(std::unique_ptr<SqlStore> store, std::chrono::milliseconds lease_time, WorkerId worker,
                     std::function<void()> stopped)
    : store_(std::move(store)),
      queue_(*store_, lease_time),
      worker_(worker),
      interval_(std::min(lease_time / 4, kLongestInterval)),
      stopped_(std::move(stopped)),
      thread_([this](const std::stop_token& stop) { beat_on(stop); }) {}

Heartbeat::~Heartbeat() = default;

void Heartbeat::hold(const Lease& lease, std::function<void()> lost) {
  const std::lock_guard lock(mutex_);
  leases_.push_back(lease);
  lost_ = std::move(lost);
  state_.run = lease.run;
}

void Heartbeat::let_go(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  std::erase_if(leases_, [&](const Lease& held) { return is_same(held, lease); });
}

void Heartbeat::let_go() {
  const std::lock_guard lock(mutex_);
  leases_.clear();
  lost_ = {};
  state_.run.reset();
}

void Heartbeat::loaded(const std::string& model) {
  const std::lock_guard lock(mutex_);
  state_.model = model;
}

void Heartbeat::count_samples(std::size_t samples) {
  const std::lock_guard lock(mutex_);
  samples_ += samples;
}

void Heartbeat::end() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::rethrow() const {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

void Heartbeat::beat_on(const std::stop_token& stop) {
  auto last = std::chrono::steady_clock::now();
  try {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, interval_, [] { return false; });
      }
      if (stop.stop_requested()) return;
      const auto now = std::chrono::steady_clock::now();
      beat(now - std::exchange(last, now));
    }
  } catch (const std::exception&) {
    {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    stopped_();
  }
}

void Heartbeat::beat(std::chrono::duration<double> since_last) {
  std::vector<Lease> leases;
  WorkerState state;
  {
    const std::lock_guard lock(mutex_);
    const double rate = static_cast<double>(std::exchange(samples_, 0)) / since_last.count();
    state_.samples_per_s += kNewest * (rate - state_.samples_per_s);
    leases = leases_;
    state = state_;
  }
  if (leases.empty()) queue_.beat(worker_, std::nullopt, state);
  for (const Lease& lease : leases) {
    if (queue_.beat(worker_, lease, state)) continue;
    const std::lock_guard lock(mutex_);
    // It may have been done while the queue was asked.
    const auto is_it = [&](const Lease& held) { return is_same(held, lease); };
    if (std::any_of(leases_.begin(), leases_.end(), is_it)) lost_();
  }
}

}  // namespace micius
