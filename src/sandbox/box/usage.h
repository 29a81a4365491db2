// The processes of the box and what they use, from its /proc.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace micius {

struct Usage {
  std::chrono::milliseconds cpu{0};  // of the living, and of the dead whom a parent waited for
  std::int64_t memory_bytes = 0;     // private and shared memory in use; what several share counts for each
};
// Of every process but the caller.
Usage usage_of_all();

// The same memory with what several share counted once. Slower.
std::int64_t exact_memory_of_all();

// A process, its parent and so on up to the first one of the box; none where it has ended.
std::vector<int> lineage_of(int process);

}  // namespace micius
