#include "engine/thread_pool.h"

#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {
namespace {

TEST_CASE("run does each task once, thousands of times") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<int> calls(7);
    for (int i = 0; i < 3000; ++i) pool.run(calls.size(), [&](std::size_t task, int) { ++calls[task]; });
    CHECK(calls == std::vector<int>(7, 3000));
  }
}

TEST_CASE("other threads wake up and help") {
  ThreadPool pool(3);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // far longer than a waiting thread spins
    std::atomic<int> waiting{0};
    pool.run(3, [&](std::size_t, int) {  // ends only if three threads take a task each
      ++waiting;
      while (waiting < 3) std::this_thread::yield();
    });
    CHECK(waiting == 3);
  }
}

TEST_CASE("a thread number is in one call at a time") {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> twice{false};
  pool.run(5000, [&](std::size_t, int thread) {
    if (inside[thread].fetch_add(1) != 0) twice = true;
    inside[thread].fetch_sub(1);
  });
  CHECK_FALSE(twice);
}

TEST_CASE("parallel_for covers the range once and leaves small ones whole") {
  ThreadPool pool(3);
  std::vector<int> seen(1000);
  pool.parallel_for(seen.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ++seen[i];
  });
  CHECK(seen == std::vector<int>(1000, 1));
  int calls = 0;
  pool.parallel_for(10, 6, [&](std::size_t begin, std::size_t end) {
    ++calls;
    CHECK((begin == 0 && end == 10));
  });
  pool.parallel_for(0, 1, [&](std::size_t, std::size_t) { ++calls; });
  CHECK(calls == 1);
}

TEST_CASE("an exception of a task reaches the caller and the pool goes on") {
  ThreadPool pool(4);
  CHECK_THROWS_WITH(pool.run(20,
                             [](std::size_t task, int) {
                               if (task == 11) throw std::runtime_error("eleven");
                             }),
                    "eleven");
  std::atomic<int> calls{0};
  pool.run(20, [&](std::size_t, int) { ++calls; });
  CHECK(calls == 20);
  CHECK_THROWS_AS(ThreadPool(0), Error);
}

}  // namespace
}  // namespace micius
