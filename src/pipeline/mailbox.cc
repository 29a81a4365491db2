#include "pipeline/mailbox.h"

#include <utility>

namespace micius {

void Mailbox::on_done(Completion completion) {
  const std::lock_guard lock(mutex_);
  arrived_.push_back(std::move(completion));
  changed_.notify_one();
}

void Mailbox::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

std::vector<Completion> Mailbox::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return woken_ || !arrived_.empty(); });
  woken_ = false;
  return std::exchange(arrived_, {});
}

}  // namespace micius
