#include <catch2/catch.hpp>

#include "gpu/emulated_lanes.h"

namespace micius::emulation {
namespace {

using Lanes = EmulatedLanes;

// What `kernel` is faulted for, or "".
std::string fault_of(const Grid& grid, const GlobalMemory& memory, Arrival arrival,
                     const std::function<void(Lanes&)>& kernel) {
  try {
    run_kernel(grid, memory, arrival, "test", kernel);
  } catch (const KernelFault& fault) {
    return fault.what();
  }
  return "";
}

std::string fault_of(unsigned threads, const std::function<void(Lanes&)>& kernel) {
  return fault_of({1, threads, 4096}, {}, Arrival::kLate, kernel);
}

using Catch::Matchers::Contains;

TEST_CASE("the emulation faults reads and writes out of bounds") {
  alignas(16) float data[12] = {1, 2, 3, 4};
  const float* const in = data;
  float* const out = data + 8;
  GlobalMemory memory;
  memory.allow(in, 16, GlobalMemory::Access::kRead);
  memory.allow(out, 16, GlobalMemory::Access::kReadWrite);
  const auto fault = [&](const std::function<void(Lanes&)>& kernel) {
    return fault_of({1, 4, 64}, memory, Arrival::kLate, kernel);
  };
  CHECK(fault([&](Lanes& d) { d.store(out + d.thread(), d.load(in + d.thread())); }) == "");
  CHECK(out[3] == 4);
  CHECK_THAT(fault([&](Lanes& d) { d.load(in + d.thread() + 1); }),
             Contains("thread 3 reads 4 bytes of global"));
  CHECK_THAT(fault([&](Lanes& d) { d.store(out + 4, 1.0F); }), Contains("writes 4 bytes of global"));
  CHECK_THAT(fault([&](Lanes& d) { d.store(data, 1.0F); }), Contains("writes 4 bytes of global"));
  CHECK_THAT(fault([&](Lanes& d) { d.load_fresh4(in + 1); }), Contains("out of bounds"));
  CHECK_THAT(fault([](Lanes& d) { d.shared_store(16 * d.thread() + 16, 1.0F); }),
             Contains("thread 3 writes 4 bytes of shared memory at 64, out of bounds: there are 64"));
  CHECK_THAT(fault([](Lanes& d) { d.shared_store(d.thread() * 2, 1.0F); }), Contains("not aligned"));
  CHECK_THAT(fault([](Lanes& d) { d.shared_load<float>(0); }), Contains("nobody has written"));
}

TEST_CASE("the emulation faults races on shared memory") {
  // Each thread reads what its neighbour wrote.
  const auto neighbour = [](Lanes& d) { return 4 * ((d.thread() + 1) % 64); };
  CHECK(fault_of(64, [&](Lanes& d) {
          d.shared_store(4 * d.thread(), d.thread());
          d.sync_block();
          CHECK(d.shared_load<unsigned>(neighbour(d)) == neighbour(d) / 4);
        }) == "");
  CHECK_THAT(fault_of(64,
                      [&](Lanes& d) {
                        d.shared_store(4 * d.thread(), d.thread());
                        d.sync_warp();
                        d.shared_load<unsigned>(neighbour(d));
                      }),
             Contains("thread 31 reads shared memory at 128") || Contains("race"));
  // A shuffle is no barrier.
  CHECK_THAT(fault_of(32,
                      [&](Lanes& d) {
                        d.shared_store(4 * d.thread(), d.thread());
                        d.shuffle_xor(1, 1);
                        d.shared_load<unsigned>(4 * (d.thread() ^ 1U));
                      }),
             Contains("race: thread"));
  // Written again before all have read.
  CHECK_THAT(fault_of(64,
                      [&](Lanes& d) {
                        d.shared_store(4 * d.thread(), d.thread());
                        d.sync_block();
                        d.shared_load<unsigned>(neighbour(d));
                        d.shared_store(4 * d.thread(), 0U);
                      }),
             Contains("reads without a barrier between"));
}

TEST_CASE("the emulation faults races on global memory") {
  alignas(16) float data[8] = {};
  std::uint32_t ticket = 0;
  GlobalMemory memory;
  memory.allow(data, sizeof data, GlobalMemory::Access::kReadWrite);
  memory.allow(&ticket, sizeof ticket, GlobalMemory::Access::kReadWrite);
  enum class Missing { kNothing, kTicket, kBarrierBefore, kBarrierAfter };
  // Two threads of each of two blocks write their places; those of the block that comes last read the
  // other's.
  const auto sum = [&](Missing missing) {
    ticket = 0;
    int blocks = 0;
    bool last = false;
    return fault_of({2, 2, 64}, memory, Arrival::kLate, [&](Lanes& d) {
      d.store(data + 2 * d.block() + d.thread(), 1.0F);
      if (missing != Missing::kBarrierBefore) d.sync_block();
      if (d.thread() == 1) last = missing == Missing::kTicket ? ++blocks == 2 : d.count(&ticket, 1) == 1;
      if (missing != Missing::kBarrierAfter) d.sync_block();
      if (last) d.load_fresh(data + 2 * (1 - d.block()));
    });
  };
  CHECK(sum(Missing::kNothing) == "");
  CHECK_THAT(sum(Missing::kTicket), Contains("race: block") && Contains("without a ticket and barriers"));
  CHECK_THAT(sum(Missing::kBarrierBefore), Contains("race: block") && Contains("thread 0 writes"));
  CHECK_THAT(sum(Missing::kBarrierAfter), Contains("race: block") && Contains("thread 0 reads"));

  const auto fault = [&](const std::function<void(Lanes&)>& kernel) {
    return fault_of({2, 2, 64}, memory, Arrival::kLate, kernel);
  };
  CHECK_THAT(fault([&](Lanes& d) { d.store(data + d.thread(), 1.0F); }),
             Contains("thread 0 writes without a ticket"));
  CHECK_THAT(fault([&](Lanes& d) {
               d.store(data + 2 * d.block() + d.thread(), 1.0F);
               d.load_fresh(data + 2 * d.block());
             }),
             Contains("thread 0 writes without a barrier"));
  CHECK_THAT(fault([&](Lanes& d) {
               d.store(data + 2 * d.block() + d.thread(), 1.0F);
               d.load(data + 2 * d.block() + d.thread());
             }),
             Contains("through a cache"));
}

TEST_CASE("the emulation faults what is read before its copy has ended") {
  alignas(16) const float in[64] = {1, 2, 3};
  GlobalMemory memory;
  memory.allow(in, sizeof in, GlobalMemory::Access::kRead);
  enum class Wait { kNever, kBefore, kAfter };
  const auto bulk = [&](Arrival arrival, Wait wait) {
    return fault_of({1, 32, 1024}, memory, arrival, [&](Lanes& d) {
      if (d.thread() == 0) {
        d.barrier_init(512, 1);
        d.fence_barriers();
      }
      d.sync_block();
      if (d.thread() == 0) {
        d.barrier_expect(512, 256);
        d.copy_bulk(0, in, 256, 512);
      }
      d.sync_warp();
      if (wait == Wait::kBefore) d.barrier_wait(512, 0);
      d.shared_load<float>(4 * d.lane());
      if (wait == Wait::kAfter) d.barrier_wait(512, 0);
    });
  };
  for (const Arrival arrival : {Arrival::kEarly, Arrival::kLate}) {
    CHECK(bulk(arrival, Wait::kBefore) == "");
    CHECK_THAT(bulk(arrival, Wait::kAfter), Contains(arrival == Arrival::kEarly ? "race" : "before a copy"));
  }
  const auto async = [&](Wait wait) {
    return fault_of({1, 32, 1024}, memory, Arrival::kLate, [&](Lanes& d) {
      if (d.thread() < 16) d.copy_async(16 * d.thread(), in + 4 * d.thread());
      d.commit_copies();
      if (wait != Wait::kNever) d.wait_copies<0>();
      if (wait == Wait::kBefore) d.sync_warp();
      d.shared_load<float>(4 * d.lane());
    });
  };
  CHECK(async(Wait::kBefore) == "");
  CHECK_THAT(async(Wait::kAfter), Contains("race"));  // a wait is for the thread's own copies
  CHECK_THAT(async(Wait::kNever), Contains("before a copy"));
}

TEST_CASE("the emulation faults a block whose threads wait for each other") {
  CHECK_THAT(fault_of(64,
                      [](Lanes& d) {
                        if (d.warp() == 0) d.sync_block();
                      }),
             Contains("stuck"));
  CHECK_THAT(fault_of(32,
                      [](Lanes& d) {
                        if (d.lane() != 3) d.sync_warp();
                      }),
             Contains("31 lanes of warp 0 wait in sync_warp"));
  CHECK_THAT(fault_of(32, [](Lanes& d) { d.lane() == 3 ? d.sync_warp() : static_cast<void>(d.any(true)); }),
             Contains("while other lanes of its warp do"));
  CHECK_THAT(fault_of(32, [](Lanes& d) { d.barrier_wait(0, 0); }), Contains("no barrier was initialised"));
}

}  // namespace
}  // namespace micius::emulation
