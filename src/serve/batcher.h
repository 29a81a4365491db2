// Requests of many clients, advanced together: one thread steps the engine with whatever is there.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "serve/refusal.h"

namespace micius {

class Batcher;

// What came of one job of a request.
struct GenerationEvent {
  std::size_t index;  // of the job
  std::variant<NewToken, JobResult> what;
};

// The jobs of one request at work. Of one thread; what has not ended when it goes is cancelled.
class Generation {
 public:
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // The next event, of each job its tokens and then its result; absent if none comes within `wait`.
  std::optional<GenerationEvent> next(std::chrono::milliseconds wait);
  bool ended() const { return results_ == jobs_; }  // every job's result was handed out

 private:
  friend class Batcher;
  Generation(Batcher& batcher, std::uint64_t number, std::size_t jobs)
      : batcher_(batcher), number_(number), jobs_(jobs) {}

  Batcher& batcher_;
  const std::uint64_t number_;
  const std::size_t jobs_;
  std::size_t results_ = 0;
  std::condition_variable arrived_;
  std::deque<GenerationEvent> events_;  // guarded by the batcher's mutex
};

class Batcher {
 public:
  // Takes at most `most_requests` at a time. The engine is the batcher's alone until it goes (its tokenizer
  // may be used meanwhile); generations must have gone before.
  Batcher(Engine& engine, std::size_t most_requests);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Throws Refusal: 429 if there are too many requests. From any thread.
  std::unique_ptr<Generation> start(std::vector<GenerateJob> jobs);

 private:
  friend class Generation;
  struct Submitted {
    std::uint64_t request;
    std::size_t index;
    GenerateJob job;
  };
  struct Place {  // where what comes of a job goes
    std::uint64_t request;
    std::size_t index;
  };

  void work();
  std::optional<std::vector<Submitted>> await_work();  // absent: stop
  void begin(std::vector<Submitted>& jobs);
  void deliver(StepResult step);
  void deliver(const Place& place, std::variant<NewToken, JobResult> what);
  void fail_all(const std::vector<Submitted>& jobs, const char* reason);

  Engine& engine_;
  const std::size_t most_requests_;

  std::mutex mutex_;  // of the next four, and of events of generations
  std::condition_variable wake_;
  std::map<std::uint64_t, Generation*> open_;
  std::vector<Submitted> submitted_;
  std::uint64_t next_request_ = 0;
  bool stopping_ = false;

  std::map<JobId, Place> places_;  // of the worker alone
  std::thread worker_;
};

}  // namespace micius
