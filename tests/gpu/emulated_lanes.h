// The device layer on the CPU, by an EmulatedBlock.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "engine/device/lanes.h"
#include "gpu/emulated_device.h"

namespace micius::emulation {

// What a kernel is given: one thread of a block.
class EmulatedLanes {
 public:
  EmulatedLanes(EmulatedBlock& block, unsigned thread) : block_(block), thread_(thread) {}

  unsigned thread() const { return thread_; }
  unsigned lane() const { return thread_ % 32; }
  unsigned warp() const { return thread_ / 32; }
  unsigned block() const { return block_.index_; }

  template <typename T>
  T load(const T* p) {
    block_.read_global(thread_, p, sizeof(T), GlobalOrder::Read::kCached);
    return *p;
  }
  template <typename T>
  T load_fresh(const T* p) {
    block_.read_global(thread_, p, sizeof(T), GlobalOrder::Read::kFresh);
    return *p;
  }
  Words4 load4(const std::uint32_t* p) { return load(reinterpret_cast<const Words4*>(p)); }
  Words4 load_fresh_words4(const std::uint32_t* p) { return load_fresh(reinterpret_cast<const Words4*>(p)); }
  Float2 load_fresh2(const float* p) { return load_fresh(reinterpret_cast<const Float2*>(p)); }
  Float4 load_fresh4(const float* p) { return load_fresh(reinterpret_cast<const Float4*>(p)); }
  template <typename T>
  void store(T* p, T value) {
    block_.write_global(thread_, p, sizeof(T));
    *p = value;
  }
  std::uint32_t count(std::uint32_t* p, std::uint32_t last) {
    block_.draw(thread_, p);
    const std::uint32_t before = *p;
    *p = before >= last ? 0 : before + 1;
    return before;
  }

  template <typename T>
  T shared_load(SharedAddress a) {
    block_.shared_.check_read(thread_, a, sizeof(T));
    T value;
    std::memcpy(&value, block_.shared_.data(a), sizeof value);
    return value;
  }
  template <typename T>
  void shared_store(SharedAddress a, T value) {
    block_.shared_.check_write(thread_, a, sizeof(T));
    std::memcpy(block_.shared_.data(a), &value, sizeof value);
  }

  void sync_warp() { block_.sync_warp(thread_); }
  void sync_threads(unsigned barrier, unsigned threads) { block_.sync_threads(thread_, barrier, threads); }
  void sync_block() { sync_threads(0, block_.grid_.threads); }

  template <typename T>
  T shuffle(T value, unsigned lane) {
    Exchange<T> mine{value, lane % 32, {}};
    block_.together(thread_, "shuffle", &mine, [](EmulatedBlock&, void* const(&brought)[32]) {
      for (void* each : brought) {
        auto* to = static_cast<Exchange<T>*>(each);
        to->result = static_cast<Exchange<T>*>(brought[to->lane])->value;
      }
    });
    return mine.result;
  }
  template <typename T>
  T shuffle_xor(T value, unsigned mask) {
    return shuffle(value, lane() ^ mask);
  }
  bool any(bool value);

  void load_matrices(std::uint32_t (&r)[4], SharedAddress a);
  void load_matrices_transposed(std::uint32_t (&r)[4], SharedAddress a);
  std::uint32_t transpose(std::uint32_t r);
  template <typename T>
  void multiply(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
    multiply_values(c, a, b, std::is_same_v<T, F16> ? "multiply F16" : "multiply BF16", &widen<T>);
  }
  template <typename T>
  std::uint32_t pack(float x, float y) {
    return narrow<T>(x) | std::uint32_t{narrow<T>(y)} << 16;
  }
  template <typename T>
  float first(std::uint32_t r) {
    return widen<T>(static_cast<std::uint16_t>(r));
  }
  template <typename T>
  float second(std::uint32_t r) {
    return widen<T>(static_cast<std::uint16_t>(r >> 16));
  }
  float exp2(float x) { return std::exp2(x); }
  float log2(float x) { return std::log2(x); }

  void copy_async(SharedAddress a, const void* p);
  void commit_copies() { block_.copies_[thread_].groups.emplace_back(); }
  template <int kGroups>
  void wait_copies() {
    block_.wait_copies(thread_, kGroups);
  }
  void barrier_init(SharedAddress a, unsigned arrivals);
  void fence_barriers() {}
  void start_next() {}
  void wait_for_previous() {}
  void barrier_arrive(SharedAddress a) { block_.arrive(thread_, a, 0); }
  void barrier_expect(SharedAddress a, unsigned bytes) { block_.arrive(thread_, a, bytes); }
  void barrier_wait(SharedAddress a, unsigned parity);
  void copy_bulk(SharedAddress a, const void* p, unsigned bytes, SharedAddress barrier);

 private:
  template <typename T>
  struct Exchange {
    T value;
    unsigned lane;
    T result;
  };
  using Widen = float (*)(std::uint16_t);
  template <typename T>
  static float widen(std::uint16_t bits);
  template <typename T>
  static std::uint16_t narrow(float value);
  void read_matrix_row(SharedAddress a);
  void multiply_values(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                       const char* what, Widen widen);

  EmulatedBlock& block_;
  unsigned thread_;
};

template <>
float EmulatedLanes::widen<F16>(std::uint16_t bits);
template <>
float EmulatedLanes::widen<BF16>(std::uint16_t bits);
template <>
std::uint16_t EmulatedLanes::narrow<F16>(float value);
template <>
std::uint16_t EmulatedLanes::narrow<BF16>(float value);

}  // namespace micius::emulation
