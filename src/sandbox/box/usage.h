// What the processes of the box use, from its /proc.
#pragma once

#include <chrono>
#include <cstdint>

namespace micius {

struct Usage {
  std::chrono::milliseconds cpu{0};  // of the living, and of the dead whom a parent waited for
  std::int64_t memory_bytes = 0;     // private and shared memory in use; what several share counts for each
};
// Of every process but the caller.
Usage usage_of_all();

// The same memory with what several share counted once. Slower.
std::int64_t exact_memory_of_all();

}  // namespace micius
