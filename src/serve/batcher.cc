#include "serve/batcher.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

namespace micius {

Generation::~Generation() {
  const std::lock_guard lock(batcher_.mutex_);
  batcher_.open_.erase(number_);  // the worker cancels what has no open request
}

std::optional<GenerationEvent> Generation::next(std::chrono::milliseconds wait) {
  std::unique_lock lock(batcher_.mutex_);
  if (!arrived_.wait_for(lock, wait, [&] { return !events_.empty(); })) return std::nullopt;
  GenerationEvent event = std::move(events_.front());
  events_.pop_front();
  results_ += std::holds_alternative<JobResult>(event.what) ? 1 : 0;
  return event;
}

Batcher::Batcher(Engine& engine, std::size_t most_requests)
    : engine_(engine), most_requests_(most_requests), worker_([this] { work(); }) {}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  worker_.join();
}

std::unique_ptr<Generation> Batcher::start(std::vector<GenerateJob> jobs) {
  std::unique_ptr<Generation> generation;
  {
    const std::lock_guard lock(mutex_);
    if (open_.size() >= most_requests_) {
      throw Refusal(429, "requests", "rate_limit_exceeded", "",
                    fmt::format("{} requests are at work or wait; try again later", open_.size()));
    }
    const std::uint64_t number = next_request_++;
    generation.reset(new Generation(*this, number, jobs.size()));  // its constructor is private
    open_.emplace(number, generation.get());
    for (std::size_t i = 0; i < jobs.size(); ++i) submitted_.push_back({number, i, std::move(jobs[i])});
  }
  wake_.notify_all();
  return generation;
}

void Batcher::work() {
  while (auto jobs = await_work()) {
    try {
      begin(*jobs);
      if (!engine_.idle()) deliver(engine_.step());
    } catch (const std::exception& error) {  // out of memory: what the engine holds is lost
      fail_all(*jobs, error.what());
    }
  }
}

// What was submitted by clients that are still there; jobs of the others are cancelled.
std::optional<std::vector<Batcher::Submitted>> Batcher::await_work() {
  std::vector<Submitted> jobs;
  std::vector<JobId> abandoned;
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stopping_ || !submitted_.empty() || !places_.empty(); });
    if (stopping_) return std::nullopt;
    jobs = std::exchange(submitted_, {});
    std::erase_if(jobs, [&](const Submitted& job) { return !open_.contains(job.request); });
    for (const auto& [id, place] : places_) {
      if (!open_.contains(place.request)) abandoned.push_back(id);
    }
  }
  for (const JobId id : abandoned) {
    engine_.cancel(id);
    places_.erase(id);
  }
  return jobs;
}

void Batcher::begin(std::vector<Submitted>& jobs) {
  std::reverse(jobs.begin(), jobs.end());
  while (!jobs.empty()) {  // what is left in it where add() throws, has no place
    Submitted& next = jobs.back();
    places_.emplace(engine_.add(std::move(next.job)), Place{next.request, next.index});
    jobs.pop_back();
  }
}

void Batcher::deliver(StepResult step) {
  const std::lock_guard lock(mutex_);
  for (NewToken& token : step.tokens) {
    const Place& place = places_.at(token.job);
    deliver(place, std::move(token));
  }
  for (JobResult& result : step.finished) {
    const auto place = places_.extract(result.id);
    deliver(place.mapped(), std::move(result));
  }
}

void Batcher::deliver(const Place& place, std::variant<NewToken, JobResult> what) {
  const auto it = open_.find(place.request);
  if (it == open_.end()) return;
  it->second->events_.push_back({place.index, std::move(what)});
  it->second->arrived_.notify_one();
}

void Batcher::fail_all(const std::vector<Submitted>& jobs, const char* reason) {
  std::map<JobId, Place> lost = std::exchange(places_, {});
  for (const auto& [id, place] : lost) engine_.cancel(id);
  JobResult failed;
  failed.failure = JobFailure{"engine", reason};
  const std::lock_guard lock(mutex_);
  for (const auto& [id, place] : lost) deliver(place, failed);
  for (const Submitted& job : jobs) {
    const Place place{job.request, job.index};
    deliver(place, failed);
  }
}

}  // namespace micius
