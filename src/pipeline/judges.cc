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
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

Judges::~Judges() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void Judges::post(Conversation conversation) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(conversation));
  changed_.notify_one();
}

void Judges::work(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return !queue_.empty(); });
    if (stop.stop_requested()) return;
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
  Judged judged;
  try {
    c.turns.back().observation = observe(scorer_, *c.sample, c.turns);
    judged.next = task_.next(*c.sample, c.shots, c.turns);
    if (!judged.next) judged.score = judge(scorer_, *c.sample, c.turns);
  } catch (const std::exception& error) {
    judged.next.reset();
    judged.score = unjudged(error);
    judged.is_fault = true;
  }
  judged.conversation = std::move(c);
  mailbox_.on_judged(std::move(judged));
}

}  // namespace micius
