// Keeps what arrives, for runners that answer in submit() or are drained before the sink is read.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "core/runner.h"

namespace micius {

class CollectingSink final : public CompletionSink {
 public:
  void on_first_token(RequestId, Clock::time_point) override {}
  void on_done(Completion completion) override {
    const std::lock_guard lock(mutex_);
    completions.push_back(std::move(completion));
  }

  std::vector<Completion> completions;

 private:
  std::mutex mutex_;
};

}  // namespace micius
