#include "cli/load_run.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace micius {

LoadRun::LoadRun(HttpClient& client, MakeRequest make_request, const Clock& clock, std::stop_token stop)
    : client_(client), make_request_(std::move(make_request)), clock_(clock), stop_(std::move(stop)) {}

LoadRun::~LoadRun() {
  client_.cancel();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return calls_.empty(); });
}

void LoadRun::send_at(const std::vector<std::chrono::nanoseconds>& times) {
  begin_ = clock_.now();
  for (std::size_t i = 0; i < times.size() && !stop_.stop_requested(); ++i) {
    const Clock::time_point planned = begin_ + times[i];
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, stop_, planned, [] { return false; });
    }
    if (!stop_.stop_requested()) send(i, planned);
  }
  wait_for_ends();
}

void LoadRun::send_by(std::size_t clients, std::optional<std::size_t> requests,
                      std::optional<std::chrono::nanoseconds> duration) {
  begin_ = clock_.now();
  const std::size_t most = requests.value_or(std::numeric_limits<std::size_t>::max());
  for (std::size_t number = 0; number < most && !stop_.stop_requested(); ++number) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop_, [&] { return calls_.size() < clients; });
    }
    const Clock::time_point now = clock_.now();
    if (stop_.stop_requested() || (duration && now - begin_ >= *duration)) break;
    send(number, now);
  }
  wait_for_ends();
}

void LoadRun::send(std::size_t number, Clock::time_point planned) {
  auto call = std::make_unique<LoadCall>(planned, clock_, [this](LoadCall& ended) { take(ended); });
  LoadCall& sink = *call;
  HttpRequest request = make_request_(number);
  {
    const std::lock_guard lock(mutex_);
    calls_.emplace(&sink, std::move(call));
    ended_.clear();
  }
  sink.sample.sent = clock_.now();
  client_.start(std::move(request), sink);
}

void LoadRun::take(LoadCall& call) {
  const std::lock_guard lock(mutex_);
  auto node = calls_.extract(&call);
  samples_.push_back(std::move(node.mapped()->sample));
  ended_.push_back(std::move(node.mapped()));
  changed_.notify_all();
}

void LoadRun::wait_for_ends() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop_, [&] { return calls_.empty(); });
  if (!stop_.stop_requested()) return;
  client_.cancel();
  changed_.wait(lock, [&] { return calls_.empty(); });
}

std::chrono::nanoseconds LoadRun::wall() const {
  Clock::time_point end = begin_;
  for (const LoadSample& sample : samples_) end = std::max(end, sample.done);
  return end - begin_;
}

}  // namespace micius
