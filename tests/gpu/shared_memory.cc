#include "gpu/shared_memory.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace micius::emulation {
namespace {

constexpr std::uint32_t kWordBytes = 4;

}  // namespace

SharedMemory::SharedMemory(unsigned threads, unsigned barriers, unsigned bytes)
    : threads_(threads),
      bytes_(bytes, std::byte{0xff}),
      words_((bytes + kWordBytes - 1) / kWordBytes),
      clocks_(threads + barriers, Clock(threads + barriers)) {
  for (unsigned agent = 0; agent < clocks_.size(); ++agent) clocks_[agent][agent] = 1;
}

void SharedMemory::join(Clock& into, const Clock& from) {
  // The innermost loop of every barrier: through pointers it is several times as fast under sanitizers.
  std::uint32_t* const to = into.data();
  const std::uint32_t* const other = from.data();
  for (std::size_t i = 0, count = into.size(); i < count; ++i) to[i] = to[i] < other[i] ? other[i] : to[i];
}

std::string SharedMemory::name(std::uint32_t agent) const {
  return agent < threads_ ? fmt::format("thread {}", agent)
                          : fmt::format("a copy for barrier {}", agent - threads_);
}

void SharedMemory::check_bounds(unsigned thread, std::uint32_t address, unsigned bytes,
                                const char* what) const {
  if (address % std::min(bytes, 16U) != 0) {
    throw KernelFault(fmt::format("{} {}s {} bytes of shared memory at {}, which is not aligned",
                                  name(thread), what, bytes, address));
  }
  if (address > bytes_.size() || bytes > bytes_.size() - address) {
    throw KernelFault(fmt::format("{} {}s {} bytes of shared memory at {}, out of bounds: there are {}",
                                  name(thread), what, bytes, address, bytes_.size()));
  }
}

void SharedMemory::check_after_write(unsigned thread, std::uint32_t word, const char* what) const {
  const Word& w = words_[word];
  if (w.writer == kNobody) return;
  if (w.writer == kCopy) {
    throw KernelFault(fmt::format("{} {}s shared memory at {} before a copy to there has ended", name(thread),
                                  what, word * kWordBytes));
  }
  if (w.written > clocks_[thread][w.writer]) {
    throw KernelFault(
        fmt::format("race: {} {}s shared memory at {}, which {} writes without a barrier between",
                    name(thread), what, word * kWordBytes, name(w.writer)));
  }
}

void SharedMemory::check_after_reads(unsigned thread, std::uint32_t word, const char* what) const {
  const Word& w = words_[word];
  const auto check = [&](std::uint32_t reader, std::uint32_t when) {
    if (when <= clocks_[thread][reader]) return;
    throw KernelFault(
        fmt::format("race: {} {}s shared memory at {}, which {} reads without a barrier between",
                    name(thread), what, word * kWordBytes, name(reader)));
  };
  if (w.reader == kSeveral) {
    for (std::uint32_t reader = 0; reader < w.readers.size(); ++reader) check(reader, w.readers[reader]);
  } else if (w.reader != kNobody) {
    check(w.reader, w.read);
  }
}

void SharedMemory::check_read(unsigned thread, std::uint32_t address, unsigned bytes) {
  check_bounds(thread, address, bytes, "read");
  const std::uint32_t now = clocks_[thread][thread];
  for (std::uint32_t word = address / kWordBytes; word <= (address + bytes - 1) / kWordBytes; ++word) {
    Word& w = words_[word];
    if (w.writer == kNobody) {
      throw KernelFault(fmt::format("{} reads shared memory at {}, which nobody has written", name(thread),
                                    word * kWordBytes));
    }
    check_after_write(thread, word, "read");
    if (w.reader == kSeveral) {
      w.readers[thread] = now;
    } else if (w.reader == kNobody || w.reader == thread || w.read <= clocks_[thread][w.reader]) {
      w.reader = thread;
      w.read = now;
    } else {
      w.readers.assign(clocks_.size(), 0);
      w.readers[w.reader] = w.read;
      w.readers[thread] = now;
      w.reader = kSeveral;
    }
  }
}

void SharedMemory::check_write(unsigned thread, std::uint32_t address, unsigned bytes) {
  check_bounds(thread, address, bytes, "write");
  for (std::uint32_t word = address / kWordBytes; word <= (address + bytes - 1) / kWordBytes; ++word) {
    check_after_write(thread, word, "write");
    check_after_reads(thread, word, "write");
    words_[word].writer = thread;
    words_[word].written = clocks_[thread][thread];
    words_[word].reader = kNobody;
  }
}

void SharedMemory::begin_copy(unsigned thread, std::uint32_t address, unsigned bytes) {
  check_write(thread, address, bytes);
  for (std::uint32_t word = address / kWordBytes; word < (address + bytes) / kWordBytes; ++word) {
    words_[word].writer = kCopy;
  }
  std::memset(data(address), 0xff, bytes);
}

void SharedMemory::end_copy(unsigned agent, std::uint32_t address, unsigned bytes) {
  for (std::uint32_t word = address / kWordBytes; word < (address + bytes) / kWordBytes; ++word) {
    words_[word].writer = agent;
    words_[word].written = clocks_[agent][agent];
  }
}

}  // namespace micius::emulation
