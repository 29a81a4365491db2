#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "stats/blocks_internal.h"

namespace micius {

void for_each_block(std::size_t draws,
                    const std::function<void(std::size_t block, std::size_t begin, std::size_t end)>& fn) {
  const std::size_t blocks = (draws + kDrawsOfBlock - 1) / kDrawsOfBlock;
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      for (std::size_t block = next++; block < blocks; block = next++)
        fn(block, block * kDrawsOfBlock, std::min(draws, (block + 1) * kDrawsOfBlock));
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = blocks;
    }
  };
  const std::size_t helpers = std::min<std::size_t>(std::thread::hardware_concurrency(), blocks);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < helpers; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  if (error) std::rethrow_exception(error);
}

}  // namespace micius
