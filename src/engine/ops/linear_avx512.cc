// Few rows: linear_vnni_internal.h. More rows: a task unpacks its tiles into a panel once and runs its rows
// over it.

// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx512_internal.h"
#include "engine/ops/linear_vnni_internal.h"
// clang-format on

namespace micius {
namespace {

constexpr int kRows = 4, kTiles = 3;  // of the integer micro-kernel: 12 sums of int32, 12 of float
constexpr PlaneTile kTwoPlanes{{kRows}, 2}, kOnePlane{{kRows}, 1};

// ---- panels: for each block [8 groups][tiles] of 64 code bytes, then [2][tiles] of 16 float scales

constexpr std::size_t panel_block(std::size_t tiles) { return tiles * (512 + 128); }

template <WeightFormat kFormat>
void unpack_panel(const LinearTask& task, std::size_t tile, std::size_t tiles, std::byte* panel) {
  const PackedPart& part = task.part;
  for (std::size_t t = 0; t < tiles; ++t) {
    const std::byte* block = part.block(tile + t, 0);
    std::byte* out = panel + t * 64;
    for (std::size_t b = 0; b < part.blocks();
         ++b, block += block_bytes(kFormat), out += panel_block(tiles)) {
      fetch_lines<block_bytes(kFormat)>(block, task.ahead);
#pragma GCC unroll 8
      for (int g = 0; g < 8; ++g) _mm512_storeu_si512(out + g * tiles * 64, unpack<kFormat>(block, g));
      _mm512_storeu_ps(out + 8 * tiles * 64, scale_of<kFormat>(block, 0));
      if (kind_of(kFormat) != Kind::kZero)
        _mm512_storeu_ps(out + 9 * tiles * 64, scale_of<kFormat>(block, 1));
    }
  }
}

template <PlaneTile kPlace, int kCount, int kWide>
void add_plane(const std::byte* panel, const std::byte* activation, int begin, int end, int word,
               __m512i (&sum)[kCount][kWide]) {
#pragma GCC unroll 8
  for (int g = begin; g < end; ++g) {
    __m512i codes[kWide];
#pragma GCC unroll 8
    for (int t = 0; t < kWide; ++t) codes[t] = load(panel + (g * kWide + t) * 64);
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
      const __m512i q = _mm512_set1_epi32(at<std::int32_t>(activation, kPlace.codes(r))[word + g]);
#pragma GCC unroll 8
      for (int t = 0; t < kWide; ++t) sum[r][t] = _mm512_dpbusd_epi32(sum[r][t], codes[t], q);
    }
  }
}

template <PlaneTile kPlace, Kind kKind, int kCount, int kWide>
void multiply_panel_block(const std::byte* panel, const std::byte* activation, __m128i zero_shift,
                          __m512 (&total)[kCount][kWide]) {
#pragma GCC unroll 2
  for (int half = 0; half < (kKind == Kind::kHalves ? 2 : 1); ++half) {
    const int begin = half * 4, end = kKind == Kind::kHalves ? begin + 4 : 8;
    __m512i sum[kCount][kWide];
#pragma GCC unroll 16
    for (int i = 0; i < kCount * kWide; ++i) sum[i / kWide][i % kWide] = _mm512_setzero_si512();
    if constexpr (kPlace.planes == 2) add_plane<kPlace, kCount, kWide>(panel, activation, begin, end, 0, sum);
#pragma GCC unroll 16
    for (int i = 0; i < kCount * kWide; ++i) {
      __m512i& s = sum[i / kWide][i % kWide];
      s = _mm512_slli_epi32(s, 7);
      if constexpr (kKind != Kind::kMin)
        s = _mm512_add_epi32(s, start<kPlace>(activation, i / kWide, zero_shift, kKind, half));
    }
    add_plane<kPlace, kCount, kWide>(panel, activation, begin, end, 8, sum);
#pragma GCC unroll 8
    for (int t = 0; t < kWide; ++t) {
      const __m512 d = load_float(panel + ((8 + half) * kWide + t) * 64);
#pragma GCC unroll 8
      for (int r = 0; r < kCount; ++r) {
        total[r][t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][t]), times_scale<kPlace>(d, activation, r),
                                      total[r][t]);
      }
    }
  }
  if constexpr (kKind == Kind::kMin) {
    const auto* sums = at<float>(activation, kPlace.scaled_sum());
#pragma GCC unroll 8
    for (int t = 0; t < kWide; ++t) {
      const __m512 m = load_float(panel + (9 * kWide + t) * 64);
#pragma GCC unroll 8
      for (int r = 0; r < kCount; ++r) total[r][t] = _mm512_fmadd_ps(m, _mm512_set1_ps(sums[r]), total[r][t]);
    }
  }
}

template <PlaneTile kPlace, Kind kKind, int kCount, int kWide>
void multiply_panel(const LinearTask& task, std::size_t tile, std::size_t row) {
  const PackedPart& part = task.part;
  const __m128i zero_shift = zero_shift_of(part);
  const std::byte *panel = task.panel,
                  *activation = task.activations + row / kRows * part.blocks() * kPlace.bytes();
  __m512 total[kCount][kWide];
#pragma GCC unroll 16
  for (int i = 0; i < kCount * kWide; ++i) total[i / kWide][i % kWide] = _mm512_setzero_ps();
  for (std::size_t b = 0; b < part.blocks(); ++b, panel += panel_block(kWide), activation += kPlace.bytes()) {
    multiply_panel_block<kPlace, kKind, kCount, kWide>(panel, activation, zero_shift, total);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kCount * kWide; ++i) {
    float* y = task.y + (row + i / kWide) * task.y_stride + (tile + i % kWide) * kTileRows;
    Lanes{total[i / kWide][i % kWide]}.store(y, outputs_of_tile(part, tile + i % kWide));
  }
}

template <PlaneTile kPlace, WeightFormat kFormat, int kWide>
void multiply_tiles(const LinearTask& task, std::size_t tile) {
  constexpr Kind kKind = kind_of(kFormat);
  unpack_panel<kFormat>(task, tile, kWide, task.panel);
  std::size_t row = task.row_begin;
  for (; row + kRows <= task.row_end; row += kRows)
    multiply_panel<kPlace, kKind, kRows, kWide>(task, tile, row);
  if (task.row_end - row == 3) multiply_panel<kPlace, kKind, 3, kWide>(task, tile, row);
  if (task.row_end - row == 2) multiply_panel<kPlace, kKind, 2, kWide>(task, tile, row);
  if (task.row_end - row == 1) multiply_panel<kPlace, kKind, 1, kWide>(task, tile, row);
}

template <PlaneTile kPlace, WeightFormat kFormat>
void multiply_format(const LinearTask& task) {
  if (task.row_end - task.row_begin <= 4) return multiply_few<kPlace, kFormat>(task);
  std::size_t tile = task.tile_begin;
  for (; tile + kTiles <= task.tile_end; tile += kTiles) multiply_tiles<kPlace, kFormat, kTiles>(task, tile);
  for (; tile < task.tile_end; ++tile) multiply_tiles<kPlace, kFormat, 1>(task, tile);
}

template <PlaneTile kPlace>
void multiply(const LinearTask& task) {
  if (!has_codes(task.part.format)) return multiply_floats<4, 3>(task);
  with_code_format(task.part.format, [&]<WeightFormat kFormat>() { multiply_format<kPlace, kFormat>(task); });
}

std::size_t panel_bytes(std::size_t cols) { return (cols / kBlockCols + 1) * panel_block(kTiles); }

}  // namespace

LinearKernels linear_avx512(Numerics numerics) {
  if (numerics == Numerics::kFast)
    return {kRows, kTiles, panel_bytes, quantize_planes<kOnePlane>, multiply<kOnePlane>};
  return {kRows, kTiles, panel_bytes, quantize_planes<kTwoPlanes>, multiply<kTwoPlanes>};
}

}  // namespace micius
