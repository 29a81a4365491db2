// Code formats with VNNI. Activations are two planes of signed bytes, q = 128 * high + low, so that vpdpbusd
// multiplies them by unsigned codes: the sum over the high plane, shifted left by 7, starts the sum over the
// low one. 16-bit products (vpdpwssd) would need weights of twice the bytes at the same rate.
//
// Few rows: codes are unpacked in registers. More rows: a task unpacks its tiles into a panel once and runs
// its rows over it.

// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx512_internal.h"
#include "engine/ops/linear_codes_internal.h"
#include "engine/ops/linear_floats_internal.h"
#include "engine/ops/fetch_internal.h"
// clang-format on

namespace micius {
namespace {

constexpr int kRows = 4, kTiles = 3;  // of the integer micro-kernel: 12 sums of int32, 12 of float
constexpr ActivationBlock kActivation{kRows};

__m512i load(const std::byte* bytes) { return _mm512_loadu_si512(bytes); }
__m512 load_float(const std::byte* bytes) { return _mm512_loadu_ps(bytes); }

// ---- activations

float largest_of(__m512 a, __m512 b) {
  return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
}

void store_planes(__m512i q, std::byte* high_plane, std::byte* low_plane) {
  const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(64)), 7);
  const __m512i low = _mm512_sub_epi32(q, _mm512_slli_epi32(high, 7));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(high_plane), _mm512_cvtepi32_epi8(high));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(low_plane), _mm512_cvtepi32_epi8(low));
}

void quantize(const float* x, std::size_t rows, std::size_t cols, std::byte* tile) {
  for (std::size_t b = 0; b < cols / kBlockCols; ++b, tile += kActivation.bytes()) {
    for (std::size_t r = 0; r < rows; ++r) {
      const float* values = x + r * cols + b * kBlockCols;
      const __m512 low = _mm512_loadu_ps(values), high = _mm512_loadu_ps(values + 16);
      const float scale = block_scale(largest_of(low, high));
      const __m512 inverse = _mm512_set1_ps(1.0F / scale);
      const __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
      const __m512i c = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
      store_planes(a, tile + kActivation.codes(r), tile + kActivation.codes(r) + 32);
      store_planes(c, tile + kActivation.codes(r) + 16, tile + kActivation.codes(r) + 48);
      store_scale(kActivation, r, scale, _mm512_reduce_add_epi32(a), _mm512_reduce_add_epi32(c), tile);
    }
  }
}

// ---- one block, one tile

enum class Kind { kZero, kMin, kHalves };

constexpr Kind kind_of(WeightFormat format) {
  if (format == WeightFormat::kByteHalves) return Kind::kHalves;
  return format == WeightFormat::kNibble || format == WeightFormat::kByte ? Kind::kZero : Kind::kMin;
}
// d * 2^e, by adding e to the exponent of d.
__m512 times_power(__m512 d, const std::byte* activation, int row) {
  const __m512i one = _mm512_set1_epi32(127 << 23);
  const __m512i scale = _mm512_set1_epi32(at<std::int32_t>(activation, kActivation.scale())[row]);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(d), _mm512_sub_epi32(scale, one)));
}

// -zero * sum of q over the block, or over one half of it.
__m512i start(const std::byte* activation, int row, __m128i zero_shift, Kind kind, int half) {
  const auto* sums = at<std::int32_t>(activation, kActivation.negative_sums());
  const std::int32_t sum = kind == Kind::kHalves ? sums[half * kRows + row] : sums[row] + sums[kRows + row];
  return _mm512_sll_epi32(_mm512_set1_epi32(sum), zero_shift);
}

__m512i plane(__m512i sum, __m512i codes, const std::byte* activation, int row, int word) {
  return _mm512_dpbusd_epi32(sum, codes,
                             _mm512_set1_epi32(at<std::int32_t>(activation, kActivation.codes(row))[word]));
}

// Group g of 8 of a packed block.
template <WeightFormat kFormat>
__m512i unpack(const std::byte* block, int g) {
  if constexpr (!has_nibbles(kFormat)) return load(block + 64 * g);
  const __m512i both = load(block + 64 * (g % 4));
  return _mm512_and_si512(g < 4 ? both : _mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
}

// The block's first (index 0) or second scale, widened.
template <WeightFormat kFormat>
__m512 scale_of(const std::byte* block, int index) {
  return load_scale(kFormat, block, static_cast<std::size_t>(index)).v;
}

// ---- few rows

template <WeightFormat kFormat, int kCount>
void multiply_block(const std::byte* weights, const std::byte* activation, __m128i zero_shift,
                    __m512 (&total)[kCount]) {
  constexpr Kind kKind = kind_of(kFormat);
  __m512i codes[8];
#pragma GCC unroll 8
  for (int g = 0; g < 8; ++g) codes[g] = unpack<kFormat>(weights, g);
#pragma GCC unroll 2
  for (int half = 0; half < (kKind == Kind::kHalves ? 2 : 1); ++half) {
    const int begin = half * 4, end = kKind == Kind::kHalves ? begin + 4 : 8;
    const __m512 d = scale_of<kFormat>(weights, half);
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
      __m512i high = _mm512_setzero_si512();
      __m512i low =
          kKind == Kind::kMin ? _mm512_setzero_si512() : start(activation, r, zero_shift, kKind, half);
#pragma GCC unroll 8
      for (int g = begin; g < end; ++g) {
        high = plane(high, codes[g], activation, r, g);
        low = plane(low, codes[g], activation, r, g + 8);
      }
      const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high, 7), low);
      total[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), times_power(d, activation, r), total[r]);
    }
  }
  if constexpr (kKind == Kind::kMin) {
    const __m512 m = scale_of<kFormat>(weights, 1);
    const auto* sums = at<float>(activation, kActivation.scaled_sum());
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) total[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(sums[r]), total[r]);
  }
}

__m128i zero_shift_of(const PackedPart& part) {
  return _mm_cvtsi32_si128(part.zero == 0 ? 0 : __builtin_ctz(static_cast<unsigned>(part.zero)));
}

template <WeightFormat kFormat, int kCount>
void multiply_few(const LinearTask& task) {
  const PackedPart& part = task.part;
  const __m128i zero_shift = zero_shift_of(part);
  const std::size_t blocks = part.blocks();
  const std::byte* activations = task.activations + task.row_begin / kRows * blocks * kActivation.bytes();
  for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile) {
    const std::byte *weights = part.block(tile, 0), *activation = activations;
    __m512 total[kCount];
    for (__m512& lanes : total) lanes = _mm512_setzero_ps();
    for (std::size_t b = 0; b < blocks;
         ++b, weights += block_bytes(kFormat), activation += kActivation.bytes()) {
      if (task.ahead > 0) fetch_lines<block_bytes(kFormat)>(weights + task.ahead);
      multiply_block<kFormat, kCount>(weights, activation, zero_shift, total);
    }
    for (int r = 0; r < kCount; ++r) {
      float* y = task.y + (task.row_begin + r) * task.y_stride + tile * kTileRows;
      Lanes{total[r]}.store(y, outputs_of_tile(part, tile));
    }
  }
}

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
      if (task.ahead > 0) fetch_lines<block_bytes(kFormat)>(block + task.ahead);
#pragma GCC unroll 8
      for (int g = 0; g < 8; ++g) _mm512_storeu_si512(out + g * tiles * 64, unpack<kFormat>(block, g));
      _mm512_storeu_ps(out + 8 * tiles * 64, scale_of<kFormat>(block, 0));
      if (kind_of(kFormat) != Kind::kZero)
        _mm512_storeu_ps(out + 9 * tiles * 64, scale_of<kFormat>(block, 1));
    }
  }
}

template <int kCount, int kWide>
void add_plane(const std::byte* panel, const std::byte* activation, int begin, int end, int word,
               __m512i (&sum)[kCount][kWide]) {
#pragma GCC unroll 8
  for (int g = begin; g < end; ++g) {
    __m512i codes[kWide];
#pragma GCC unroll 8
    for (int t = 0; t < kWide; ++t) codes[t] = load(panel + (g * kWide + t) * 64);
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
      const __m512i q = _mm512_set1_epi32(at<std::int32_t>(activation, kActivation.codes(r))[word + g]);
#pragma GCC unroll 8
      for (int t = 0; t < kWide; ++t) sum[r][t] = _mm512_dpbusd_epi32(sum[r][t], codes[t], q);
    }
  }
}

template <Kind kKind, int kCount, int kWide>
void multiply_panel_block(const std::byte* panel, const std::byte* activation, __m128i zero_shift,
                          __m512 (&total)[kCount][kWide]) {
#pragma GCC unroll 2
  for (int half = 0; half < (kKind == Kind::kHalves ? 2 : 1); ++half) {
    const int begin = half * 4, end = kKind == Kind::kHalves ? begin + 4 : 8;
    __m512i sum[kCount][kWide];
#pragma GCC unroll 16
    for (int i = 0; i < kCount * kWide; ++i) sum[i / kWide][i % kWide] = _mm512_setzero_si512();
    add_plane<kCount, kWide>(panel, activation, begin, end, 0, sum);
#pragma GCC unroll 16
    for (int i = 0; i < kCount * kWide; ++i) {
      __m512i& s = sum[i / kWide][i % kWide];
      s = _mm512_slli_epi32(s, 7);
      if constexpr (kKind != Kind::kMin)
        s = _mm512_add_epi32(s, start(activation, i / kWide, zero_shift, kKind, half));
    }
    add_plane<kCount, kWide>(panel, activation, begin, end, 8, sum);
#pragma GCC unroll 8
    for (int t = 0; t < kWide; ++t) {
      const __m512 d = load_float(panel + ((8 + half) * kWide + t) * 64);
#pragma GCC unroll 8
      for (int r = 0; r < kCount; ++r) {
        total[r][t] =
            _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][t]), times_power(d, activation, r), total[r][t]);
      }
    }
  }
  if constexpr (kKind == Kind::kMin) {
    const auto* sums = at<float>(activation, kActivation.scaled_sum());
#pragma GCC unroll 8
    for (int t = 0; t < kWide; ++t) {
      const __m512 m = load_float(panel + (9 * kWide + t) * 64);
#pragma GCC unroll 8
      for (int r = 0; r < kCount; ++r) total[r][t] = _mm512_fmadd_ps(m, _mm512_set1_ps(sums[r]), total[r][t]);
    }
  }
}

template <Kind kKind, int kCount, int kWide>
void multiply_panel(const LinearTask& task, std::size_t tile, std::size_t row) {
  const PackedPart& part = task.part;
  const __m128i zero_shift = zero_shift_of(part);
  const std::byte *panel = task.panel,
                  *activation = task.activations + row / kRows * part.blocks() * kActivation.bytes();
  __m512 total[kCount][kWide];
#pragma GCC unroll 16
  for (int i = 0; i < kCount * kWide; ++i) total[i / kWide][i % kWide] = _mm512_setzero_ps();
  for (std::size_t b = 0; b < part.blocks();
       ++b, panel += panel_block(kWide), activation += kActivation.bytes()) {
    multiply_panel_block<kKind, kCount, kWide>(panel, activation, zero_shift, total);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kCount * kWide; ++i) {
    float* y = task.y + (row + i / kWide) * task.y_stride + (tile + i % kWide) * kTileRows;
    Lanes{total[i / kWide][i % kWide]}.store(y, outputs_of_tile(part, tile + i % kWide));
  }
}

template <WeightFormat kFormat, int kWide>
void multiply_tiles(const LinearTask& task, std::size_t tile) {
  constexpr Kind kKind = kind_of(kFormat);
  unpack_panel<kFormat>(task, tile, kWide, task.panel);
  std::size_t row = task.row_begin;
  for (; row + kRows <= task.row_end; row += kRows) multiply_panel<kKind, kRows, kWide>(task, tile, row);
  if (task.row_end - row == 3) multiply_panel<kKind, 3, kWide>(task, tile, row);
  if (task.row_end - row == 2) multiply_panel<kKind, 2, kWide>(task, tile, row);
  if (task.row_end - row == 1) multiply_panel<kKind, 1, kWide>(task, tile, row);
}

template <WeightFormat kFormat>
void multiply_format(const LinearTask& task) {
  switch (task.row_end - task.row_begin) {
    case 1:
      return multiply_few<kFormat, 1>(task);
    case 2:
      return multiply_few<kFormat, 2>(task);
    case 3:
      return multiply_few<kFormat, 3>(task);
    case 4:
      return multiply_few<kFormat, 4>(task);
    default:
      break;
  }
  std::size_t tile = task.tile_begin;
  for (; tile + kTiles <= task.tile_end; tile += kTiles) multiply_tiles<kFormat, kTiles>(task, tile);
  for (; tile < task.tile_end; ++tile) multiply_tiles<kFormat, 1>(task, tile);
}

void multiply(const LinearTask& task) {
  switch (task.part.format) {
    case WeightFormat::kNibble:
      return multiply_format<WeightFormat::kNibble>(task);
    case WeightFormat::kNibbleMin:
      return multiply_format<WeightFormat::kNibbleMin>(task);
    case WeightFormat::kNibbleMinF32:
      return multiply_format<WeightFormat::kNibbleMinF32>(task);
    case WeightFormat::kByte:
      return multiply_format<WeightFormat::kByte>(task);
    case WeightFormat::kByteMinF32:
      return multiply_format<WeightFormat::kByteMinF32>(task);
    case WeightFormat::kByteHalves:
      return multiply_format<WeightFormat::kByteHalves>(task);
    default:
      return multiply_floats<4, 3>(task);
  }
}

std::size_t panel_bytes(std::size_t cols) { return (cols / kBlockCols + 1) * panel_block(kTiles); }

}  // namespace

LinearKernels linear_avx512() { return {kRows, kTiles, panel_bytes, quantize, multiply}; }

}  // namespace micius
