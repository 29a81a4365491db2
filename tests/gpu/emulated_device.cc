#include "gpu/emulated_device.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "gpu/emulated_lanes.h"

namespace micius::emulation {

void GlobalMemory::allow(const void* data, std::size_t bytes, Access access) {
  regions_.insert_or_assign(static_cast<const char*>(data), Region{bytes, access});
}

void GlobalMemory::forbid(const void* data) { regions_.erase(static_cast<const char*>(data)); }

void GlobalMemory::check(unsigned block, unsigned thread, const void* data, std::size_t bytes,
                         Access access) const {
  const char* at = static_cast<const char*>(data);
  const auto behind = regions_.upper_bound(at);
  const bool allowed = behind != regions_.begin() && [&] {
    const auto& [begin, region] = *std::prev(behind);
    const auto offset = static_cast<std::size_t>(at - begin);
    return offset < region.bytes && bytes <= region.bytes - offset &&
           (access == Access::kRead || region.access == Access::kReadWrite);
  }();
  const char* const what = access == Access::kRead ? "reads" : "writes";
  if (!allowed) {
    throw KernelFault(fmt::format("block {}, thread {} {} {} bytes of global memory out of bounds", block,
                                  thread, what, bytes));
  }
  if (std::bit_cast<std::uintptr_t>(data) % std::min<std::size_t>(bytes, 16) != 0) {
    throw KernelFault(fmt::format("block {}, thread {} {} {} bytes of global memory that are not aligned",
                                  block, thread, what, bytes));
  }
}

void run_kernel(const Grid& grid, const GlobalMemory& memory, Arrival arrival, std::string_view seed,
                const std::function<void(EmulatedLanes&)>& kernel) {
  Rng rng(seed);
  std::vector<unsigned> order(grid.blocks);
  std::iota(order.begin(), order.end(), 0U);
  rng.shuffle(order);
  Fibers fibers;
  GlobalOrder accesses;
  for (const unsigned index : order) {
    EmulatedBlock(grid, index, memory, accesses, arrival, rng).run(fibers, kernel);
  }
}

EmulatedBlock::EmulatedBlock(const Grid& grid, unsigned index, const GlobalMemory& memory, GlobalOrder& order,
                             Arrival arrival, Rng& rng)
    : grid_(grid),
      index_(index),
      memory_(memory),
      order_(order),
      arrival_(arrival),
      rng_(rng),
      shared_(grid.threads, kBarriers, grid.shared_bytes),
      warps_((grid.threads + 31) / 32),
      copies_(grid.threads) {}

void EmulatedBlock::run(Fibers& fibers, const std::function<void(EmulatedLanes&)>& kernel) {
  fibers_ = &fibers;
  const auto idle = [&] {
    if (under_way_.empty()) return false;
    const std::size_t which = rng_.below(under_way_.size());
    const BulkCopy copy = under_way_[which];
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(which));
    deliver(copy);
    return true;
  };
  fibers.run(
      grid_.threads,
      [&](unsigned thread) {
        EmulatedLanes lanes(*this, thread);
        kernel(lanes);
      },
      idle, [&] { stuck(); });
  if (!under_way_.empty())
    throw KernelFault(fmt::format("block {} ends before a copy that it started", index_));
}

void EmulatedBlock::stuck() const {
  for (std::size_t warp = 0; warp < warps_.size(); ++warp) {
    if (warps_[warp].arrived > 0) {
      throw KernelFault(fmt::format("block {} is stuck: {} lanes of warp {} wait in {} for the others",
                                    index_, warps_[warp].arrived, warp, warps_[warp].what));
    }
  }
  throw KernelFault(fmt::format("block {} is stuck: its threads wait at barriers that nobody ends", index_));
}

void EmulatedBlock::together(unsigned thread, const char* what, void* brings, Act act) {
  Warp& warp = warps_[thread / 32];
  if (warp.arrived > 0 && std::strcmp(warp.what, what) != 0) {
    throw KernelFault(fmt::format("block {}, thread {} does {} while other lanes of its warp do {}", index_,
                                  thread, what, warp.what));
  }
  warp.what = what;
  warp.brought[thread % 32] = brings;
  if (++warp.arrived < 32) {
    fibers_->wait(warp.generation, warp.generation);
    return;
  }
  act(*this, warp.brought);
  warp.arrived = 0;
  ++warp.generation;
}

void EmulatedBlock::read_global(unsigned thread, const void* data, std::size_t bytes, GlobalOrder::Read how) {
  memory_.check(index_, thread, data, bytes, GlobalMemory::Access::kRead);
  order_.read({index_, thread, shared_.clock(thread)}, data, bytes, how);
}

void EmulatedBlock::write_global(unsigned thread, const void* data, std::size_t bytes) {
  memory_.check(index_, thread, data, bytes, GlobalMemory::Access::kReadWrite);
  order_.write({index_, thread, shared_.clock(thread)}, data, bytes);
}

void EmulatedBlock::draw(unsigned thread, const std::uint32_t* ticket) {
  memory_.check(index_, thread, ticket, sizeof *ticket, GlobalMemory::Access::kReadWrite);
  order_.draw({index_, thread, shared_.clock(thread)}, ticket);
  shared_.tick(thread);
}

void EmulatedBlock::sync_warp(unsigned thread) {
  together(thread, "sync_warp", &thread, [](EmulatedBlock& block, void* const(&brought)[32]) {
    Clock known(block.shared_.clock(0).size());
    for (void* each : brought) SharedMemory::join(known, block.shared_.clock(*static_cast<unsigned*>(each)));
    for (void* each : brought) {
      const unsigned lane = *static_cast<unsigned*>(each);
      block.shared_.clock(lane) = known;
      block.shared_.tick(lane);
    }
  });
}

void EmulatedBlock::sync_threads(unsigned thread, unsigned barrier, unsigned threads) {
  ThreadBarrier& b = thread_barriers_[barrier];
  if (b.arrived > 0 && b.expected != threads) {
    throw KernelFault(fmt::format("block {}, thread {} waits at barrier {} with {} threads, others with {}",
                                  index_, thread, barrier, threads, b.expected));
  }
  if (b.arrived == 0) b.clock.assign(shared_.clock(0).size(), 0);
  b.expected = threads;
  SharedMemory::join(b.clock, shared_.clock(thread));
  const std::uint64_t generation = b.generation;
  if (++b.arrived == threads) {
    b.arrived = 0;
    b.over = b.clock;
    ++b.generation;
  } else {
    fibers_->wait(b.generation, generation);
  }
  SharedMemory::join(shared_.clock(thread), b.over);
  shared_.tick(thread);
}

EmulatedBlock::CopyBarrier& EmulatedBlock::barrier_at(SharedAddress address) {
  const auto found = copy_barriers_.find(address);
  if (found == copy_barriers_.end()) {
    throw KernelFault(fmt::format("block {}: no barrier was initialised at {}", index_, address));
  }
  return found->second;
}

void EmulatedBlock::arrive(unsigned thread, SharedAddress barrier, unsigned bytes) {
  CopyBarrier& b = barrier_at(barrier);
  if (b.missing == 0)
    throw KernelFault(fmt::format("block {}: too many arrive at barrier {}", index_, barrier));
  SharedMemory::join(b.arrived, shared_.clock(thread));
  shared_.tick(thread);
  b.bytes += bytes;
  --b.missing;
  end_phase_if_complete(b);
}

void EmulatedBlock::end_phase_if_complete(CopyBarrier& barrier) {
  if (barrier.missing > 0 || barrier.bytes != 0) return;
  barrier.over = barrier.arrived;
  barrier.missing = barrier.arrivals;
  ++barrier.phase;
}

void EmulatedBlock::deliver(const BulkCopy& copy) {
  CopyBarrier& barrier = barrier_at(copy.barrier);
  std::memcpy(shared_.data(copy.to), copy.from, copy.bytes);
  shared_.tick(barrier.agent);
  shared_.end_copy(barrier.agent, copy.to, copy.bytes);
  SharedMemory::join(barrier.arrived, shared_.clock(barrier.agent));
  barrier.bytes -= copy.bytes;
  end_phase_if_complete(barrier);
}

void EmulatedBlock::wait_copies(unsigned thread, std::size_t groups) {
  auto& all = copies_[thread].groups;
  while (all.size() - 1 > groups) {
    for (const AsyncCopy& copy : all.front()) {
      std::memcpy(shared_.data(copy.to), copy.from, 16);
      shared_.end_copy(thread, copy.to, 16);
    }
    all.erase(all.begin());
  }
}

}  // namespace micius::emulation
