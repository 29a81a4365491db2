#include "engine/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"

namespace micius {
namespace {

// As long as a sleeping thread takes to come: what is done between two steps of a model is shorter.
constexpr std::chrono::microseconds kSpin{50};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `value` is no longer `old`: spins for kSpin, then sleeps.
void wait_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

int thread_count(int asked) {
  if (asked > 0) return std::min(asked, 256);
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 256U));
}

ThreadPool::ThreadPool(int threads) : threads_(threads) {
  if (threads < 1 || threads > 256) fail(ErrorCode::kUsage, "{} threads asked for; use 1 to 256", threads);
  for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  step_.fetch_add(1, std::memory_order_release);
  step_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::join(std::uint32_t step) {
  std::uint64_t door = door_.load(std::memory_order_acquire);
  while (door >> 32 == step && (door & kClosed) == 0) {
    if (door_.compare_exchange_weak(door, door + 1, std::memory_order_acq_rel)) return true;
  }
  return false;
}

void ThreadPool::work(int thread) {
  std::uint32_t seen = 0;
  for (;;) {
    wait_change(step_, seen);
    seen = step_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    if (!join(seen)) continue;
    take_tasks(thread);
    left_.fetch_add(1, std::memory_order_release);
    left_.notify_one();
  }
}

void ThreadPool::take_tasks(int thread) {
  for (std::size_t task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < tasks_;) {
    try {
      call_(argument_, task, thread);
    } catch (...) {
      const std::lock_guard lock(thrown_mutex_);
      thrown_ = std::current_exception();
    }
  }
}

void ThreadPool::run_raw(std::size_t tasks, Call call, const void* argument) {
  call_ = call;
  argument_ = argument;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  left_.store(0, std::memory_order_relaxed);
  const std::uint32_t step = step_.load(std::memory_order_relaxed) + 1;
  door_.store(static_cast<std::uint64_t>(step) << 32, std::memory_order_release);
  step_.store(step, std::memory_order_release);
  step_.notify_all();
  take_tasks(0);
  const auto joined = static_cast<std::uint32_t>(door_.fetch_or(kClosed, std::memory_order_acq_rel));
  std::uint32_t left;
  while ((left = left_.load(std::memory_order_acquire)) != joined) wait_change(left_, left);
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

}  // namespace micius
