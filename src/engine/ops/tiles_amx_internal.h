// The tile registers of AMX as linear_amx_internal.h uses them. Inline assembly: g++ 12's intrinsics are
// macros that want a literal for a register and do not tell the compiler that they read and write memory, so
// that it drops stores before them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace micius {
namespace {

// Registers 0 to 3 hold sums, kRows rows of 16 int32; 4 and 5 hold kRows rows of 32 signed bytes; 6 holds 8
// rows of 16 x 4 signed bytes.
struct AmxTiles {
  // Of this thread, from begin() to end(); begin() again changes kRows.
  template <std::uint8_t kRows>
  static void begin() {
    struct alignas(64) Config {
      std::uint8_t palette = 1, start_row = 0, unused[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 32, 32, 64};
      std::uint8_t rows[16] = {kRows, kRows, kRows, kRows, kRows, kRows, 8};
    };
    static constexpr Config kConfig;
    static_assert(sizeof kConfig == 64);
    asm volatile("ldtilecfg %0" : : "m"(kConfig));
  }
  static void end() { asm volatile("tilerelease"); }

  template <int kTile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // Rows begin `stride` bytes apart.
  template <int kTile>
  static void load(const std::byte* base, std::ptrdiff_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(base), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(std::byte* base, std::ptrdiff_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(base), "r"(stride), "i"(kTile) : "memory");
  }
  // sum[m][n] += sum over k < 32 of a[m][k] * b[k / 4][n][k % 4]
  template <int kSum, int kA, int kB>
  static void add_products() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kA), "i"(kB));
  }
};

}  // namespace
}  // namespace micius
