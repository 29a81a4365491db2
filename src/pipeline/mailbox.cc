#include "pipeline/mailbox.h"

#include <utility>

namespace micius {

void Mailbox::on_done(Completion completion) {
  const std::lock_guard lock(mutex_);
  arrived_.completions.push_back(std::move(completion));
  changed_.notify_one();
}

void Mailbox::on_judged(Judged judged) {
  const std::lock_guard lock(mutex_);
  arrived_.judged.push_back(std::move(judged));
  changed_.notify_one();
}

void Mailbox::on_error(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  changed_.notify_one();
}

void Mailbox::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

Mail Mailbox::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(
      lock, [this] { return woken_ || error_ || !arrived_.completions.empty() || !arrived_.judged.empty(); });
  woken_ = false;
  if (error_) std::rethrow_exception(error_);
  return std::exchange(arrived_, {});
}

}  // namespace micius
