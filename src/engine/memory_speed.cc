#include "engine/memory_speed.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "engine/cpu.h"
#include "engine/ops/fetch_internal.h"
#include "engine/speed_internal.h"

namespace micius {
namespace {

constexpr std::size_t kTaskBytes = 1 << 20;  // of a task: small beside the whole, large beside its start
constexpr std::size_t kStep = 128;

// The sum of all words, in as many chains as hide an addition's latency.
std::uint64_t sum_of(const std::byte* data, std::size_t bytes, FetchAhead ahead) {
  std::array<std::uint64_t, kStep / 8> sums{};
  for (std::size_t at = 0; at + kStep <= bytes; at += kStep) {
    fetch_lines<kStep>(data + at, ahead);
    std::array<std::uint64_t, kStep / 8> words;
    std::memcpy(words.data(), data + at, kStep);
    for (std::size_t i = 0; i < words.size(); ++i) sums[i] += words[i];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  return sum;
}

}  // namespace

MemoryRead::MemoryRead(std::size_t bytes, ThreadPool& pool)
    : memory_((bytes + kTaskBytes - 1) / kTaskBytes * kTaskBytes), pool_(pool) {
  // Untouched memory is one zero page for all addresses, which a cache holds.
  pool_.run(memory_.size() / kTaskBytes,
            [&](std::size_t i, int) { std::memset(memory_.data() + i * kTaskBytes, 1, kTaskBytes); });
}

double MemoryRead::seconds() {
  const FetchAhead ahead = fetch_ahead();
  std::atomic<std::uint64_t> sum{0};
  const auto start = std::chrono::steady_clock::now();
  pool_.run(memory_.size() / kTaskBytes,
            [&](std::size_t i, int) { sum += sum_of(memory_.data() + i * kTaskBytes, kTaskBytes, ahead); });
  const double seconds = seconds_since(start);
  // Without a use of the sum the compiler may leave the read out.
  if (sum != memory_.size() / 8 * std::uint64_t{0x0101010101010101}) {
    fail(ErrorCode::kIo, "memory does not hold what was written to it");
  }
  return seconds;
}

}  // namespace micius
