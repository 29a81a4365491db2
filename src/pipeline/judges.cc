#include "pipeline/judges.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "pipeline/judge.h"

namespace micius {

Judges::Judges(std::size_t threads, const Task& task, const Scorer& scorer, Mailbox& mailbox)
    : task_(task), scorer_(scorer), mailbox_(mailbox) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, threads); ++i)
    threads_.emplace_back([this] { work(); });
}

Judges::~Judges() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  queue_.clear();
  changed_.notify_all();
}

void Judges::post(Conversation conversation) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(conversation));
  changed_.notify_one();
}

void Judges::work() {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (ending_) return;
    Conversation conversation = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      judge_one(std::move(conversation));
    } catch (...) {
      mailbox_.on_error(std::current_exception());
    }
  }
}

void Judges::judge_one(Conversation c) {
  c.turns.back().observation = observe(scorer_, *c.sample, c.turns);
  std::optional<Prompt> next = task_.next(*c.sample, c.shots, c.turns);
  Score score;
  if (!next) score = judge(scorer_, *c.sample, c.turns);
  mailbox_.on_judged({std::move(c), std::move(next), std::move(score)});
}

}  // namespace micius
