#include "engine/thread_pool.h"

#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "base/error.h"

namespace micius {
namespace {

TEST_CASE("run calls each thread once, thousands of times") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<int> calls(threads);
    for (int i = 0; i < 3000; ++i) pool.run([&](int thread) { ++calls[thread]; });
    CHECK(calls == std::vector<int>(threads, 3000));
  }
}

TEST_CASE("run wakes threads that sleep") {
  ThreadPool pool(3);
  int total = 0;
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // far longer than a waiting thread spins
    std::atomic<int> calls{0};
    pool.run([&](int) { ++calls; });
    total += calls;
  }
  CHECK(total == 15);
}

TEST_CASE("parallel_for covers the range once and leaves small ones to the caller") {
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

TEST_CASE("the lowest thread's exception reaches the caller and the pool goes on") {
  ThreadPool pool(4);
  CHECK_THROWS_WITH(pool.run([](int thread) {
    if (thread > 0) throw std::runtime_error(std::to_string(thread));
  }),
                    "1");
  std::atomic<int> calls{0};
  pool.run([&](int) { ++calls; });
  CHECK(calls == 4);
  CHECK_THROWS_AS(ThreadPool(0), Error);
}

}  // namespace
}  // namespace micius
