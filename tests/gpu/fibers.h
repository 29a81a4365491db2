// Threads of one emulated block, taking turns on one real thread, in an order that never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <ucontext.h>
#include <vector>

#include "engine/tensor.h"

namespace micius::emulation {

class Fibers {
 public:
  static constexpr std::size_t kStackBytes = 128 << 10;

  // Runs body(0) to body(count - 1) until all have returned. The first exception of a body ends the run and
  // is thrown; the other bodies then never go on. Where all that are left wait, `idle` may make one go on; it
  // returns whether it did something, and a run in which it did not ends with what `stuck` throws.
  void run(unsigned count, const std::function<void(unsigned)>& body, const std::function<bool()>& idle,
           const std::function<void()>& stuck);

  // Of a body: until *counter is no longer `value`. Others go on meanwhile.
  void wait(const std::uint64_t& counter, std::uint64_t value);
  unsigned current() const { return current_; }

 private:
  // One stack, with what sanitizers must be told of it.
  struct Side {
    ucontext_t context{};
    const void* stack = nullptr;  // of run(): known when the first body has begun
    std::size_t stack_bytes = 0;
    void* address_sanitizer = nullptr;
    void* thread_sanitizer = nullptr;
  };
  struct Fiber {
    Side side;
    const std::uint64_t* counter = nullptr;
    std::uint64_t value = 0;
    bool done = false;

    bool ready() const { return !done && (counter == nullptr || *counter != value); }
  };

  static void enter();
  void leave(unsigned fiber);  // to the next that is ready, or to run()
  static void change(Side& from, Side& to);
  bool find_ready(unsigned& fiber) const;

  Buffer stacks_;
  std::vector<Fiber> fibers_;
  Side main_;
  unsigned current_ = 0;
  const std::function<void(unsigned)>* body_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace micius::emulation
