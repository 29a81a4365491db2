// What arrives from the threads of the runner and of the judges for the one that asks and keeps.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <vector>

#include "core/runner.h"
#include "pipeline/conversation.h"

namespace micius {

// In order of arrival.
struct Mail {
  std::vector<Completion> completions;
  std::vector<Judged> judged;
};

class Mailbox final : public CompletionSink {
 public:
  void on_first_token(RequestId, Clock::time_point) override {}  // Completion::timing has it as well
  void on_done(Completion completion) override;
  void on_judged(Judged judged);
  void on_error(std::exception_ptr error);  // take() throws it; of several the first
  void wake();                              // makes one take() return, now or later
  // Waits for mail or wake() and returns all that is there.
  Mail take();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Mail arrived_;
  std::exception_ptr error_;
  bool woken_ = false;
};

}  // namespace micius
