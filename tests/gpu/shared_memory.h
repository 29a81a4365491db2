// Shared memory of an emulated block: bounds, and the order of accesses. Two accesses of one word, one of
// them a write, are a race unless a barrier, or the end of an asynchronous copy, stands between them: vector
// clocks, as in FastTrack (Flanagan and Freund, 2009).
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace micius::emulation {

// What a kernel did wrong. Ends its run.
struct KernelFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What has happened before a point, by agent: threads, then barriers on behalf of copies that they wait for.
using Clock = std::vector<std::uint32_t>;

class SharedMemory {
 public:
  SharedMemory(unsigned threads, unsigned barriers, unsigned bytes);

  // Throw KernelFault. Data is copied by the caller, from and to data(address).
  void check_read(unsigned thread, std::uint32_t address, unsigned bytes);
  void check_write(unsigned thread, std::uint32_t address, unsigned bytes);
  // A copy begins: nobody may touch the place until it has ended. What is there is lost.
  void begin_copy(unsigned thread, std::uint32_t address, unsigned bytes);
  // It has ended; `agent` knows first.
  void end_copy(unsigned agent, std::uint32_t address, unsigned bytes);

  std::byte* data(std::uint32_t address) { return bytes_.data() + address; }

  Clock& clock(unsigned agent) { return clocks_[agent]; }
  static void join(Clock& into, const Clock& from);
  void tick(unsigned agent) { ++clocks_[agent][agent]; }

 private:
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0}, kCopy = kNobody - 1, kSeveral = kNobody - 2;
  struct Word {
    std::uint32_t writer = kNobody, written = 0;
    std::uint32_t reader = kNobody, read = 0;
    Clock readers;  // where `reader` is kSeveral
  };

  void check_bounds(unsigned thread, std::uint32_t address, unsigned bytes, const char* what) const;
  void check_after_write(unsigned thread, std::uint32_t word, const char* what) const;
  void check_after_reads(unsigned thread, std::uint32_t word, const char* what) const;
  std::string name(std::uint32_t agent) const;

  unsigned threads_;
  std::vector<std::byte> bytes_;
  std::vector<Word> words_;
  std::vector<Clock> clocks_;
};

}  // namespace micius::emulation
