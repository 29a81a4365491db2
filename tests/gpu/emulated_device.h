// A GPU on the CPU: blocks of threads, and the memory that they are given. Every access is checked: global
// memory against what the kernel was given and as GlobalOrder has it, shared memory as SharedMemory has
// it. A fault ends the run with a KernelFault that says what and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "engine/device/lanes.h"
#include "gpu/fibers.h"
#include "gpu/global_order.h"
#include "gpu/shared_memory.h"

namespace micius::emulation {

// When a bulk copy arrives: at once, or when nothing else is left to do.
enum class Arrival { kEarly, kLate };

// Global memory that a kernel was given.
class GlobalMemory {
 public:
  enum class Access { kRead, kReadWrite };
  void allow(const void* data, std::size_t bytes, Access access);
  void forbid(const void* data);  // the region that begins there
  void check(unsigned block, unsigned thread, const void* data, std::size_t bytes, Access access) const;

 private:
  struct Region {
    std::size_t bytes;
    Access access;
  };
  std::map<const char*, Region> regions_;  // by where they begin
};

class EmulatedLanes;

struct Grid {
  unsigned blocks = 1, threads = 32, shared_bytes = 0;
};

// A block at a time, in an order drawn from `seed`.
void run_kernel(const Grid& grid, const GlobalMemory& memory, Arrival arrival, std::string_view seed,
                const std::function<void(EmulatedLanes&)>& kernel);

class EmulatedBlock {
 public:
  static constexpr unsigned kBarriers = 128;

  EmulatedBlock(const Grid& grid, unsigned index, const GlobalMemory& memory, GlobalOrder& order,
                Arrival arrival, Rng& rng);
  void run(Fibers& fibers, const std::function<void(EmulatedLanes&)>& kernel);

 private:
  friend class EmulatedLanes;
  // What all lanes of a warp do together: `act` gets what each has brought.
  using Act = void (*)(EmulatedBlock&, void* const (&brought)[32]);
  struct Warp {
    std::uint64_t generation = 0;
    unsigned arrived = 0;
    const char* what = "";
    void* brought[32] = {};
  };
  struct ThreadBarrier {
    std::uint64_t generation = 0;
    unsigned arrived = 0, expected = 0;
    Clock clock, over;
  };
  struct CopyBarrier {
    unsigned agent = 0, arrivals = 0, missing = 0;
    std::int64_t bytes = 0;
    std::uint64_t phase = 0;  // phases that are over
    Clock arrived, over;      // what those who arrived knew, and those who did in phases that are over
  };
  struct BulkCopy {
    SharedAddress to;
    const void* from;
    unsigned bytes;
    SharedAddress barrier;
  };
  struct AsyncCopy {
    SharedAddress to;
    const void* from;
  };
  struct Copies {  // of a thread: groups, the last of them open
    std::vector<std::vector<AsyncCopy>> groups{{}};
  };

  void together(unsigned thread, const char* what, void* brings, Act act);
  void sync_threads(unsigned thread, unsigned barrier, unsigned threads);
  void sync_warp(unsigned thread);
  CopyBarrier& barrier_at(SharedAddress address);
  void arrive(unsigned thread, SharedAddress barrier, unsigned bytes);
  void end_phase_if_complete(CopyBarrier& barrier);
  void deliver(const BulkCopy& copy);
  void wait_copies(unsigned thread, std::size_t groups);
  void read_global(unsigned thread, const void* data, std::size_t bytes, GlobalOrder::Read how);
  void write_global(unsigned thread, const void* data, std::size_t bytes);
  void draw(unsigned thread, const std::uint32_t* ticket);
  [[noreturn]] void stuck() const;

  Grid grid_;
  unsigned index_;
  const GlobalMemory& memory_;
  GlobalOrder& order_;
  Arrival arrival_;
  Rng& rng_;
  SharedMemory shared_;
  std::vector<Warp> warps_;
  std::map<unsigned, ThreadBarrier> thread_barriers_;
  std::map<SharedAddress, CopyBarrier> copy_barriers_;
  std::vector<BulkCopy> under_way_;
  std::vector<Copies> copies_;
  Fibers* fibers_ = nullptr;
};

}  // namespace micius::emulation
