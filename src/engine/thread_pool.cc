#include "engine/thread_pool.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::chrono::microseconds kSpin{5};

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

ThreadPool::ThreadPool(int threads) : threads_(threads) {
  if (threads < 1 || threads > 256) fail(ErrorCode::kUsage, "{} threads asked for; use 1 to 256", threads);
  thrown_.resize(threads);
  for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::work(int thread) {
  std::uint32_t seen = 0;
  for (;;) {
    wait_change(generation_, seen);
    ++seen;
    if (stop_.load(std::memory_order_relaxed)) return;
    try {
      call_(argument_, thread);
    } catch (...) {
      thrown_[thread] = std::current_exception();
    }
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

void ThreadPool::run_raw(Call call, const void* argument) {
  call_ = call;
  argument_ = argument;
  pending_.store(static_cast<std::uint32_t>(threads_ - 1), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  if (threads_ > 1) generation_.notify_all();
  try {
    call(argument, 0);
  } catch (...) {
    thrown_[0] = std::current_exception();
  }
  while (const std::uint32_t pending = pending_.load(std::memory_order_acquire))
    wait_change(pending_, pending);
  const auto first =
      std::find_if(thrown_.begin(), thrown_.end(), [](const std::exception_ptr& e) { return e != nullptr; });
  if (first == thrown_.end()) return;
  const std::exception_ptr error = *first;
  std::fill(thrown_.begin(), thrown_.end(), nullptr);
  std::rethrow_exception(error);
}

}  // namespace micius
