// Threads that share out the tasks of one step, thousands of times a second.
//
// A waiting thread spins for some tens of microseconds, because the next step of a forward pass mostly
// follows at once, and then sleeps in the kernel, because a spinning thread on a shared core takes the time
// of the one it waits for. For the same reason nobody waits for a thread that has not come: the caller takes
// tasks too and ends when none is left.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace micius {

// How many threads to use where `asked` are: at most 256; 0 stands for one a core.
int thread_count(int asked);

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // 1 <= threads <= 256, the caller of run() counted
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls fn(task, thread) once for each task in [0, tasks), in rising order of start, on the caller (thread
  // 0) and those of the others that are awake in time; thread is below threads() and never in two calls at
  // once. Returns when all are done; if calls throw, one of their exceptions is thrown here. One run() at a
  // time; not from within fn.
  template <typename F>
  void run(std::size_t tasks, const F& fn) {
    if (threads_ == 1 || tasks <= 1) {
      for (std::size_t task = 0; task < tasks; ++task) fn(task, 0);
      return;
    }
    run_raw(
        tasks, [](const void* f, std::size_t task, int thread) { (*static_cast<const F*>(f))(task, thread); },
        &fn);
  }

  // Cuts [0, n) into ranges of at least `grain` and calls fn(begin, end) for each as run() does.
  template <typename F>
  void parallel_for(std::size_t n, std::size_t grain, const F& fn) {
    const std::size_t most = 2 * static_cast<std::size_t>(threads_), whole = n / grain;
    const std::size_t ranges = whole < 1 ? 1 : whole < most ? whole : most;
    if (n == 0) return;
    run(ranges, [&](std::size_t i, int) { fn(n * i / ranges, n * (i + 1) / ranges); });
  }

 private:
  using Call = void (*)(const void*, std::size_t, int);
  void run_raw(std::size_t tasks, Call call, const void* argument);
  void work(int thread);
  bool join(std::uint32_t step);
  void take_tasks(int thread);

  int threads_;
  // Of the step that runs; written only when no worker is in it.
  Call call_ = nullptr;
  const void* argument_ = nullptr;
  std::size_t tasks_ = 0;
  std::mutex thrown_mutex_;
  std::exception_ptr thrown_;
  alignas(64) std::atomic<std::size_t> next_{0};
  alignas(64) std::atomic<std::uint32_t> step_{0};  // raised once a run; what workers wait for
  // The step in the high half, then kClosed, then how many workers have joined it.
  alignas(64) std::atomic<std::uint64_t> door_{kClosed};
  alignas(64) std::atomic<std::uint32_t> left_{0};  // workers that have joined and ended
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;

  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 31;
};

}  // namespace micius
