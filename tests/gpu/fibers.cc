#include "gpu/fibers.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace micius::emulation {
namespace {

// Its argument cannot be passed on: makecontext takes ints alone.
thread_local Fibers* running = nullptr;

#if defined(__SANITIZE_THREAD__)
void* new_thread_fiber() { return __tsan_create_fiber(0); }
void* this_thread_fiber() { return __tsan_get_current_fiber(); }
void delete_thread_fiber(void* fiber) { __tsan_destroy_fiber(fiber); }
void before_change(void** /*own*/, const void* /*stack*/, std::size_t /*bytes*/, void* fiber) {
  __tsan_switch_to_fiber(fiber, 0);
}
void after_change(void* /*own*/, const void** /*from*/, std::size_t* /*bytes*/) {}
#else
void* new_thread_fiber() { return nullptr; }
void* this_thread_fiber() { return nullptr; }
void delete_thread_fiber(void* /*fiber*/) {}
#if defined(__SANITIZE_ADDRESS__)
void before_change(void** own, const void* stack, std::size_t bytes, void* /*fiber*/) {
  __sanitizer_start_switch_fiber(own, stack, bytes);
}
void after_change(void* own, const void** from, std::size_t* bytes) {
  __sanitizer_finish_switch_fiber(own, from, bytes);
}
#else
void before_change(void** /*own*/, const void* /*stack*/, std::size_t /*bytes*/, void* /*fiber*/) {}
void after_change(void* /*own*/, const void** /*from*/, std::size_t* /*bytes*/) {}
#endif
#endif

}  // namespace

void Fibers::enter() {
  Fibers& self = *running;
  const unsigned mine = self.current_;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
  after_change(nullptr, &stack, &stack_bytes);
  if (self.main_.stack == nullptr) {  // the first body comes from run()
    self.main_.stack = stack;
    self.main_.stack_bytes = stack_bytes;
  }
  try {
    (*self.body_)(mine);
  } catch (...) {
    self.failure_ = std::current_exception();
  }
  self.fibers_[mine].done = true;
  self.leave(mine);
}

bool Fibers::find_ready(unsigned& fiber) const {
  const auto count = static_cast<unsigned>(fibers_.size());
  for (unsigned i = 1; i <= count; ++i) {
    const unsigned candidate = (current_ + i) % count;
    if (fibers_[candidate].ready()) {
      fiber = candidate;
      return true;
    }
  }
  return false;
}

void Fibers::change(Side& from, Side& to) {
  before_change(&from.address_sanitizer, to.stack, to.stack_bytes, to.thread_sanitizer);
  swapcontext(&from.context, &to.context);
  after_change(from.address_sanitizer, nullptr, nullptr);
}

void Fibers::leave(unsigned fiber) {
  unsigned next = 0;
  if (failure_ || !find_ready(next)) {
    change(fibers_[fiber].side, main_);
  } else if (next != fiber) {
    current_ = next;
    change(fibers_[fiber].side, fibers_[next].side);
  }
}

void Fibers::wait(const std::uint64_t& counter, std::uint64_t value) {
  const unsigned mine = current_;
  fibers_[mine].counter = &counter;
  fibers_[mine].value = value;
  leave(mine);
  fibers_[mine].counter = nullptr;
}

void Fibers::run(unsigned count, const std::function<void(unsigned)>& body, const std::function<bool()>& idle,
                 const std::function<void()>& stuck) {
  if (stacks_.size() < count * kStackBytes) stacks_ = Buffer(count * kStackBytes);
  fibers_.clear();
  fibers_.resize(count);
  body_ = &body;
  failure_ = nullptr;
  Fibers* const before = running;
  running = this;
  main_ = {};
  main_.thread_sanitizer = this_thread_fiber();
  for (unsigned i = 0; i < count; ++i) {
    Side& side = fibers_[i].side;
    getcontext(&side.context);
    side.stack = side.context.uc_stack.ss_sp = stacks_.data() + i * kStackBytes;
    side.stack_bytes = side.context.uc_stack.ss_size = kStackBytes;
    side.context.uc_link = nullptr;
    side.thread_sanitizer = new_thread_fiber();
    makecontext(&side.context, &Fibers::enter, 0);
  }
  current_ = count - 1;  // so that the first turn is fiber 0's
  bool blocked = false;
  while (!failure_ && !blocked) {
    unsigned next = 0;
    bool done = true;
    for (const Fiber& fiber : fibers_) done = done && fiber.done;
    if (done) break;
    if (find_ready(next)) {
      current_ = next;
      change(main_, fibers_[next].side);
    } else {
      blocked = !idle();
    }
  }
  for (const Fiber& fiber : fibers_) delete_thread_fiber(fiber.side.thread_sanitizer);
  ASAN_UNPOISON_MEMORY_REGION(stacks_.data(), stacks_.size());  // of bodies that never went on
  running = before;
  if (failure_) std::rethrow_exception(failure_);
  if (blocked) stuck();
}

}  // namespace micius::emulation
