// The memory ceiling: how fast threads read what is in no cache.
#pragma once

#include <cstddef>

#include "engine/tensor.h"
#include "engine/thread_pool.h"

namespace micius {

class MemoryRead {
 public:
  // Takes and writes `bytes`, rounded up to whole MiB; should be more than any cache holds. Borrows `pool`.
  // Throws Error{kIo} if memory is short.
  MemoryRead(std::size_t bytes, ThreadPool& pool);

  std::size_t bytes() const { return memory_.size(); }
  // Of one read of all bytes by all threads of the pool, fetching ahead as fetch_ahead() says.
  double seconds();

 private:
  Buffer memory_;
  ThreadPool& pool_;
};

}  // namespace micius
