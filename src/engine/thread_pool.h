// Threads that run one function together, thousands of times a second.
//
// A waiting thread spins for a few microseconds, because the next step of a forward pass mostly follows at
// once, and then sleeps in the kernel, because a spinning thread on a shared core takes the time of the one
// it waits for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace micius {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // 1 <= threads <= 256, the caller of run() counted
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls fn(thread) once for each thread in [0, threads()); the caller is thread 0. Returns when all are
  // done. If calls throw, the exception of the lowest thread is thrown here. One run() at a time; not from
  // within fn.
  template <typename F>
  void run(const F& fn) {
    run_raw([](const void* f, int thread) { (*static_cast<const F*>(f))(thread); }, &fn);
  }

  // Cuts [0, n) into at most threads() equal ranges and calls fn(begin, end) for each. Runs on the caller
  // alone if n < 2 * grain.
  template <typename F>
  void parallel_for(std::size_t n, std::size_t grain, const F& fn) {
    if (threads_ == 1 || n < 2 * grain) {
      if (n > 0) fn(std::size_t{0}, n);
      return;
    }
    const std::size_t parts = threads_;
    run([&](int thread) {
      const std::size_t begin = n * thread / parts, end = n * (thread + 1) / parts;
      if (begin < end) fn(begin, end);
    });
  }

 private:
  using Call = void (*)(const void*, int);
  void run_raw(Call call, const void* argument);
  void work(int thread);

  int threads_;
  Call call_ = nullptr;
  const void* argument_ = nullptr;
  std::vector<std::exception_ptr> thrown_;                // one a thread
  alignas(64) std::atomic<std::uint32_t> generation_{0};  // raised once a run
  alignas(64) std::atomic<std::uint32_t> pending_{0};     // workers that have not ended this run
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace micius
