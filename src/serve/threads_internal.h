// A thread for each connection, made as they are needed.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <httplib.h>
#include <mutex>
#include <thread>
#include <vector>

namespace micius {

class ConnectionThreads final : public httplib::TaskQueue {
 public:
  // `waiting`: how many connections wait for others to end; must outlive this.
  ConnectionThreads(std::size_t most, std::atomic<std::size_t>& waiting) : most_(most), waiting_(waiting) {}

  void enqueue(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(work));
      if (jobs_.size() > idle_ && threads_.size() < most_) {
        threads_.emplace_back([this] { run(); });
        ++idle_;
      }
      count_waiting();
    }
    wake_.notify_one();
  }

  // Returns when all connections have ended.
  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      const std::function<void()> work = std::move(jobs_.front());
      jobs_.pop_front();
      count_waiting();
      lock.unlock();
      work();
      lock.lock();
      ++idle_;
    }
  }

  void count_waiting() { waiting_ = jobs_.size() - std::min(jobs_.size(), idle_); }

  const std::size_t most_;
  std::atomic<std::size_t>& waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;  // threads without a connection, those that have not begun yet too
  bool stopping_ = false;
};

}  // namespace micius
