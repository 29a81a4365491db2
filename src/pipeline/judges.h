// Threads that judge answers: running what a model wrote takes seconds, and the model should not wait for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/scorer.h"
#include "core/task.h"
#include "pipeline/mailbox.h"

namespace micius {

class Judges {
 public:
  // At least one thread. All three are borrowed.
  Judges(std::size_t threads, const Task& task, const Scorer& scorer, Mailbox& mailbox);
  ~Judges();  // waits for what is being judged; what is queued is dropped
  Judges(const Judges&) = delete;
  Judges& operator=(const Judges&) = delete;

  // The conversation's last turn is a good answer without observation. Observes it, asks the task what is
  // next and scores the conversation where that is nothing; the result goes to the mailbox. An exception is
  // the result of that conversation alone.
  void post(Conversation conversation);
  std::size_t size() const { return threads_.size(); }

 private:
  void work(const std::stop_token& stop);
  void judge_one(Conversation conversation);

  const Task& task_;
  const Scorer& scorer_;
  Mailbox& mailbox_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Conversation> queue_;
  std::vector<std::jthread> threads_;  // last: asked to stop, and ended, before what they use
};

}  // namespace micius
