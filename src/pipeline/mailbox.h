// Completions on their way from the runner's threads to the one that judges them.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "core/runner.h"

namespace micius {

class Mailbox final : public CompletionSink {
 public:
  void on_first_token(RequestId, Clock::time_point) override {}  // Completion::timing has it as well
  void on_done(Completion completion) override;
  void wake();  // makes one take() return, now or later
  // Waits for a completion or wake() and returns all that is there, in order of arrival.
  std::vector<Completion> take();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Completion> arrived_;
  bool woken_ = false;
};

}  // namespace micius
