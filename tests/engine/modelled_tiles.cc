// Built with AVX-512's flags; nothing here may run at start.
#include "engine/modelled_tiles.h"

#include <cassert>
#include <cstring>

// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx512_internal.h"
#include "engine/ops/linear_amx_internal.h"
// clang-format on

namespace micius {
namespace {

// The shapes are those of AmxTiles.
struct ModelledTiles {
  struct State {
    std::size_t rows = 0;  // 0: not begun
    std::byte data[8][1024];
  };
  static State& state() {
    static thread_local State state;
    return state;
  }
  static std::size_t rows(int tile) { return tile < 6 ? state().rows : 8; }
  static constexpr std::size_t row_bytes(int tile) { return tile == 4 || tile == 5 ? 32 : 64; }

  template <std::uint8_t kRows>
  static void begin() {
    state().rows = kRows;
    std::memset(state().data, 0x5a, sizeof state().data);
  }
  static void end() { state().rows = 0; }

  template <int kTile>
  static std::byte* tile() {
    assert(state().rows > 0);
    return state().data[kTile];
  }
  template <int kTile>
  static void zero() {
    std::memset(tile<kTile>(), 0, rows(kTile) * row_bytes(kTile));
  }
  template <int kTile>
  static void load(const std::byte* base, std::ptrdiff_t stride) {
    for (std::size_t r = 0; r < rows(kTile); ++r)
      std::memcpy(tile<kTile>() + r * row_bytes(kTile), base + r * stride, row_bytes(kTile));
  }
  template <int kTile>
  static void store(std::byte* base, std::ptrdiff_t stride) {
    for (std::size_t r = 0; r < rows(kTile); ++r)
      std::memcpy(base + r * stride, tile<kTile>() + r * row_bytes(kTile), row_bytes(kTile));
  }
  template <int kSum, int kA, int kB>
  static void add_products() {
    auto* sums = reinterpret_cast<std::int32_t*>(tile<kSum>());
    const auto* a = reinterpret_cast<const std::int8_t*>(tile<kA>());
    const auto* b = reinterpret_cast<const std::int8_t*>(tile<kB>());
    for (std::size_t m = 0; m < state().rows; ++m) {
      for (std::size_t n = 0; n < 16; ++n) {
        for (std::size_t k = 0; k < 32; ++k)
          sums[m * 16 + n] += a[m * 32 + k] * b[k / 4 * 64 + n * 4 + k % 4];
      }
    }
  }
};

}  // namespace

LinearKernels modelled_tile_kernels(Numerics numerics) { return tile_kernels<ModelledTiles>(numerics); }

}  // namespace micius
