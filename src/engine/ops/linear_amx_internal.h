// Linear layers on tile registers: one block of 32 columns of 16 activation rows, or of the last 8, times 16
// outputs at a time. The sums of the two planes leave their tiles through memory; AVX-512 turns them into
// floats, scales them and keeps the totals in registers. The bits are those of the other instruction sets:
// integer sums are exact, and fma(high, 128, low) rounds their sum once, as its conversion does.
//
// Tiles: AmxTiles, or a model of it where a test has no such machine. The AVX-512 lanes come first.
#pragma once

#include "engine/ops/linear_vnni_internal.h"

namespace micius {
namespace {

constexpr std::size_t kAmxRows = 16;
constexpr PlaneTile kTwoAmxPlanes{{kAmxRows}, 2}, kOneAmxPlane{{kAmxRows}, 1};

// A panel holds one tile of weights in steps: [8 groups] of 64 bytes, code - zero; 16 float scales; 16
// minima. A block is one step, or for kHalves two, each with zeros in the place of the other half.
constexpr std::size_t kStepScale = 512, kStepMin = 576, kStepBytes = 640;
constexpr std::size_t kSumBytes = 1024;  // 16 x 16 int32
constexpr std::size_t steps_of(Kind kind) { return kind == Kind::kHalves ? 2 : 1; }

template <WeightFormat kFormat>
void unpack_steps(const LinearTask& task, std::size_t tile, std::byte* panel) {
  constexpr Kind kKind = kind_of(kFormat);
  const __m512i zero = _mm512_set1_epi8(static_cast<char>(task.part.zero));
  const std::byte* block = task.part.block(tile, 0);
  for (std::size_t b = 0; b < task.part.blocks(); ++b, block += block_bytes(kFormat)) {
    fetch_lines<block_bytes(kFormat)>(block, task.ahead);
    for (std::size_t step = 0; step < steps_of(kKind); ++step, panel += kStepBytes) {
#pragma GCC unroll 8
      for (int g = 0; g < 8; ++g) {
        const bool other = kKind == Kind::kHalves && g / 4 != static_cast<int>(step);
        _mm512_storeu_si512(panel + 64 * g, other ? _mm512_setzero_si512()
                                                  : _mm512_sub_epi8(unpack<kFormat>(block, g), zero));
      }
      _mm512_storeu_ps(panel + kStepScale, scale_of<kFormat>(block, static_cast<int>(step)));
      if constexpr (kKind == Kind::kMin) _mm512_storeu_ps(panel + kStepMin, scale_of<kFormat>(block, 1));
    }
  }
}

// The planes of one step into sums, [2][16][16] int32.
template <typename Tiles, int kPlanes, int kHigh, int kLow>
void sum_step(const std::byte* step, const std::byte* activation, std::byte* sums) {
  Tiles::template load<6>(step, 64);
  if constexpr (kPlanes == 2) {
    Tiles::template zero<kHigh>();
    Tiles::template load<4>(activation, 64);
    Tiles::template add_products<kHigh, 4, 6>();
  }
  Tiles::template zero<kLow>();
  Tiles::template load<5>(activation + 32, 64);
  Tiles::template add_products<kLow, 5, 6>();
  if constexpr (kPlanes == 2) Tiles::template store<kHigh>(sums, 64);
  Tiles::template store<kLow>(sums + kSumBytes, 64);
}

template <PlaneTile kPlace, Kind kKind, int kRows>
void scale_step(const std::byte* step, const std::byte* activation, const std::byte* sums,
                __m512 (&total)[kRows]) {
  const __m512 d = load_float(step + kStepScale), power = _mm512_set1_ps(128);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    const __m512 low = _mm512_cvtepi32_ps(load(sums + kSumBytes + 64 * r));
    __m512 sum = low;
    if constexpr (kPlace.planes == 2)
      sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(load(sums + 64 * r)), power, low);
    total[r] = _mm512_fmadd_ps(sum, times_scale<kPlace>(d, activation, r), total[r]);
  }
  if constexpr (kKind == Kind::kMin) {
    const __m512 m = load_float(step + kStepMin);
    const auto* scaled = at<float>(activation, kPlace.scaled_sum());
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) total[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(scaled[r]), total[r]);
  }
}

// Blocks [begin, end) of the columns.
struct Pass {
  std::size_t begin, end;
};
constexpr std::size_t kPassBlocks =
    24;  // of 16 rows: 30 KB, which stay in the L1 cache for all tiles of a task

// One tile of outputs, at `panel`, times rows [row, row + kRows) or up to task.row_end; y holds the sums of
// the passes before. `sums` is room for two steps.
template <typename Tiles, PlaneTile kPlace, Kind kKind, int kRows>
void multiply_pass(const LinearTask& task, const std::byte* panel, std::size_t tile, std::size_t row,
                   Pass pass, std::byte* sums) {
  constexpr std::size_t kSteps = steps_of(kKind);
  const std::size_t steps = (pass.end - pass.begin) * kSteps;
  const std::byte* activations =
      task.activations + (row / kAmxRows * task.part.blocks() + pass.begin) * kPlace.bytes();
  panel += pass.begin * kSteps * kStepBytes;
  const auto step = [&](std::size_t s) { return panel + s * kStepBytes; };
  const auto activation = [&](std::size_t s) { return activations + s / kSteps * kPlace.bytes(); };
  std::byte *even = sums, *odd = sums + 2 * kSumBytes;
  const std::size_t outputs = outputs_of_tile(task.part, tile);
  float* y = task.y + row * task.y_stride + tile * kTileRows;
  __m512 total[kRows];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    const bool more = pass.begin > 0 && row + r < task.row_end;
    total[r] = more ? Lanes::load(y + r * task.y_stride, outputs).v : _mm512_setzero_ps();
  }
  sum_step<Tiles, kPlace.planes, 0, 1>(step(0), activation(0), even);
  for (std::size_t s = 0; s < steps; s += 2) {
    if (s + 1 < steps) sum_step<Tiles, kPlace.planes, 2, 3>(step(s + 1), activation(s + 1), odd);
    scale_step<kPlace, kKind, kRows>(step(s), activation(s), even, total);
    if (s + 2 < steps) sum_step<Tiles, kPlace.planes, 0, 1>(step(s + 2), activation(s + 2), even);
    if (s + 1 < steps) scale_step<kPlace, kKind, kRows>(step(s + 1), activation(s + 1), odd, total);
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    if (row + r < task.row_end) Lanes{total[r]}.store(y + r * task.y_stride, outputs);
  }
}

template <typename Tiles, PlaneTile kPlace, WeightFormat kFormat>
void multiply_tiles(const LinearTask& task) {
  constexpr Kind kKind = kind_of(kFormat);
  const std::size_t blocks = task.part.blocks(), panel_bytes = blocks * steps_of(kKind) * kStepBytes;
  std::byte *sums = task.panel, *panels = sums + 4 * kSumBytes;
  for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile)
    unpack_steps<kFormat>(task, tile, panels + (tile - task.tile_begin) * panel_bytes);
  const auto multiply_rows = [&]<int kRows>(std::size_t row) {
    for (std::size_t b = 0; b < blocks; b += kPassBlocks) {
      const Pass pass{b, b + kPassBlocks < blocks ? b + kPassBlocks : blocks};
      for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile) {
        const std::byte* panel = panels + (tile - task.tile_begin) * panel_bytes;
        multiply_pass<Tiles, kPlace, kKind, kRows>(task, panel, tile, row, pass, sums);
      }
    }
  };
  std::size_t row = task.row_begin;
  Tiles::template begin<16>();
  for (; row + 8 < task.row_end; row += 16) multiply_rows.template operator()<16>(row);
  if (row < task.row_end) {
    Tiles::template begin<8>();
    multiply_rows.template operator()<8>(row);
  }
  Tiles::end();
}

constexpr std::size_t kGroupTiles = 3;  // as many as the kernel for floats takes together

inline std::size_t amx_panel_bytes(std::size_t cols) {
  return kGroupTiles * (cols / kBlockCols) * steps_of(Kind::kHalves) * kStepBytes + 4 * kSumBytes;
}

template <typename Tiles, PlaneTile kPlace>
void multiply_amx(const LinearTask& task) {
  if (!has_codes(task.part.format)) return multiply_floats<4, 3>(task);
  with_code_format(task.part.format, [&]<WeightFormat kFormat>() {
    task.row_end - task.row_begin <= 4 ? multiply_few<kPlace, kFormat>(task)
                                       : multiply_tiles<Tiles, kPlace, kFormat>(task);
  });
}

template <typename Tiles>
LinearKernels tile_kernels(Numerics numerics) {
  if (numerics == Numerics::kFast) {
    return {kAmxRows, kGroupTiles, amx_panel_bytes, quantize_planes<kOneAmxPlane>,
            multiply_amx<Tiles, kOneAmxPlane>};
  }
  return {kAmxRows, kGroupTiles, amx_panel_bytes, quantize_planes<kTwoAmxPlanes>,
          multiply_amx<Tiles, kTwoAmxPlanes>};
}

}  // namespace
}  // namespace micius
