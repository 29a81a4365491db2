// Waits for another thread, once.
#pragma once

#include <condition_variable>
#include <mutex>

namespace micius {

class Signal {
 public:
  // The waiting thread may destroy this object as soon as it wakes: nothing of it is touched after the lock.
  void set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

}  // namespace micius
