// Global memory of an emulated kernel: the order of accesses. Blocks run one after another here, but on a GPU
// at the same time: what one writes, another may touch only behind a ticket (EmulatedLanes::count) that both
// have drawn, with barriers between their threads and those that drew. Vector clocks, as for shared memory;
// what is known of other blocks is known by ticket. Of two accesses that are out of order the later one is
// faulted if the earlier one wrote; as the order of blocks is drawn, that is a matter of the seed for one
// read and one write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "gpu/shared_memory.h"

namespace micius::emulation {

// A thread of a block, and what it knows of the others of its block.
struct GlobalAccess {
  unsigned block, thread;
  const Clock& clock;
};

class GlobalOrder {
 public:
  enum class Read { kCached, kFresh };  // the former keeps what it has, whatever others write meanwhile
  // Throw KernelFault for a race, or a cached read of what the kernel has written. data is aligned to 4
  // bytes.
  void read(const GlobalAccess& by, const void* data, std::size_t bytes, Read how) const;
  void write(const GlobalAccess& by, const void* data, std::size_t bytes);
  // Makes known what the thread knows to who draws from `ticket` later, and to the thread what those knew
  // that drew before.
  void draw(const GlobalAccess& by, const void* ticket);

 private:
  struct Write {
    unsigned block, thread;
    std::uint32_t time;  // of the thread
  };
  struct Drawn {  // what a thread knew of its own block when it drew
    unsigned block;
    Clock clock;
  };
  struct Learnt {  // by a thread that drew, at `time`
    unsigned thread;
    std::uint32_t time;
    const void* ticket;
    std::size_t count;  // of those that had drawn before
  };

  bool is_known(const GlobalAccess& by, const Write& write) const;
  void check(const GlobalAccess& by, const Write& before, const char* what) const;

  std::unordered_map<std::uintptr_t, Write> writes_;  // the last of each word
  std::unordered_map<const void*, std::vector<Drawn>> drawn_;
  std::unordered_map<unsigned, std::vector<Learnt>> learnt_;  // of each block
};

}  // namespace micius::emulation
