// Code formats with VNNI. Activations are two planes of signed bytes, q = 128 * high + low, so that vpdpbusd
// multiplies them by unsigned codes: the sum over the high plane, shifted left by 7, starts the sum over the
// low one. 16-bit products (vpdpwssd) would need weights of twice the bytes at the same rate. Under kFast the
// low plane is all there is.
//
// kPlace is the layout of the activation tiles. The AVX-512 lanes come first.
#pragma once

#include "engine/ops/fetch_internal.h"
#include "engine/ops/linear_codes_internal.h"
#include "engine/ops/linear_floats_internal.h"

namespace micius {
namespace {

struct PlaneTile : ActivationBlock {
  int planes;  // 2, or 1 under kFast
};

__m512i load(const std::byte* bytes) { return _mm512_loadu_si512(bytes); }
__m512 load_float(const std::byte* bytes) { return _mm512_loadu_ps(bytes); }

// ---- activations

// Lanes r, r + 4, r + 8 and r + 12: what is left of v[r], by four neighbouring lanes of it.
__m512 fold_max(const __m512 (&v)[4]) {
  const __m512 a = _mm512_max_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
  const __m512 b = _mm512_max_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
  const __m512d c = _mm512_castps_pd(a), d = _mm512_castps_pd(b);
  return _mm512_max_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(c, d)),
                       _mm512_castpd_ps(_mm512_unpackhi_pd(c, d)));
}
__m512i fold_sum(const __m512i (&v)[4]) {
  const __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  const __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

// block_scale() or fast_scale() of four rows.
template <int kPlanes>
__m128 scales_of(__m128 largest) {
  const __m128 least = _mm_set1_ps(0x1p-100F);
  if constexpr (kPlanes == 1) return _mm_max_ps(_mm_div_ps(largest, _mm_set1_ps(127)), least);
  const __m128i bits = _mm_castps_si128(_mm_max_ps(_mm_div_ps(largest, _mm_set1_ps(16256)), least));
  return _mm_castsi128_ps(
      _mm_and_si128(_mm_add_epi32(bits, _mm_set1_epi32(0x7fffff)), _mm_set1_epi32(0x7f800000)));
}

// A row's 32 values; `at`: where the high plane's bytes go, the low one's behind them.
template <int kPlanes>
void store_planes(__m512i q, std::byte* at) {
  __m512i low = q;
  if constexpr (kPlanes == 2) {
    const __m512i high = _mm512_srai_epi16(_mm512_add_epi16(q, _mm512_set1_epi16(64)), 7);
    low = _mm512_sub_epi16(q, _mm512_slli_epi16(high, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtepi16_epi8(high));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at + 32), _mm512_cvtepi16_epi8(low));
}

// The first kCount of four neighbours.
template <int kCount>
void store_lanes(__m128i lanes, std::byte* at) {
  if constexpr (kCount == 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at), lanes);
  } else {
    static_assert(kCount == 1);
    _mm_storeu_si32(at, lanes);
  }
}

// One block of kCount rows, 4 or 1, from `row` of the tile on; what belongs to one row is one lane.
template <PlaneTile kPlace, int kCount>
void quantize_block(const float* x, std::size_t cols, std::size_t row, std::byte* tile) {
  __m512 values[2][4], largest[4];
  for (int r = 0; r < 4; ++r) {
    const float* from = x + static_cast<std::size_t>(r < kCount ? r : 0) * cols;
    values[0][r] = _mm512_loadu_ps(from);
    values[1][r] = _mm512_loadu_ps(from + 16);
    largest[r] = _mm512_max_ps(_mm512_abs_ps(values[0][r]), _mm512_abs_ps(values[1][r]));
  }
  const __m512 four = fold_max(largest);
  const __m256 two = _mm256_max_ps(_mm512_castps512_ps256(four), _mm512_extractf32x8_ps(four, 1));
  const __m128 scale =
      scales_of<kPlace.planes>(_mm_max_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
  float inverse[4];
  _mm_storeu_ps(inverse, _mm_div_ps(_mm_set1_ps(1), scale));
  __m512i sums[4];
  for (int r = 0; r < 4; ++r) {
    const __m512 factor = _mm512_set1_ps(inverse[r < kCount ? r : 0]);
    const __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(values[0][r], factor));
    const __m512i b = _mm512_cvtps_epi32(_mm512_mul_ps(values[1][r], factor));
    const __m512i q =
        _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(a)), _mm512_cvtepi32_epi16(b), 1);
    sums[r] = _mm512_madd_epi16(q, _mm512_set1_epi16(1));
    if (r < kCount) store_planes<kPlace.planes>(q, tile + kPlace.codes(row + static_cast<std::size_t>(r)));
  }
  const __m512i folded = fold_sum(sums);
  const __m256i columns[2] = {_mm512_castsi512_si256(folded), _mm512_extracti32x8_epi32(folded, 1)};
  __m128i sum[2];  // of columns 0-15 and 16-31
  for (int half = 0; half < 2; ++half)
    sum[half] =
        _mm_add_epi32(_mm256_castsi256_si128(columns[half]), _mm256_extracti128_si256(columns[half], 1));
  const __m128 scaled = _mm_mul_ps(scale, _mm_cvtepi32_ps(_mm_add_epi32(sum[0], sum[1])));
  store_lanes<kCount>(_mm_castps_si128(scale), tile + kPlace.scale() + 4 * row);
  store_lanes<kCount>(_mm_castps_si128(scaled), tile + kPlace.scaled_sum() + 4 * row);
  const __m128i zero = _mm_setzero_si128();
  store_lanes<kCount>(_mm_sub_epi32(zero, sum[0]), tile + kPlace.negative_sums() + 4 * row);
  store_lanes<kCount>(_mm_sub_epi32(zero, sum[1]), tile + kPlace.negative_sums() + 4 * (kPlace.rows + row));
}

template <PlaneTile kPlace>
void quantize_planes(const float* x, std::size_t rows, std::size_t cols, std::byte* tile) {
  for (std::size_t b = 0; b < cols / kBlockCols; ++b, x += kBlockCols, tile += kPlace.bytes()) {
    std::size_t r = 0;
    for (; r + 4 <= rows; r += 4) quantize_block<kPlace, 4>(x + r * cols, cols, r, tile);
    for (; r < rows; ++r) quantize_block<kPlace, 1>(x + r * cols, cols, r, tile);
  }
}

// ---- one block, one tile

enum class Kind { kZero, kMin, kHalves };

constexpr Kind kind_of(WeightFormat format) {
  if (format == WeightFormat::kByteHalves) return Kind::kHalves;
  return format == WeightFormat::kNibble || format == WeightFormat::kByte ? Kind::kZero : Kind::kMin;
}

// d * s; where s is a power of two by adding to the exponent of d.
template <PlaneTile kPlace>
__m512 times_scale(__m512 d, const std::byte* activation, int row) {
  if constexpr (kPlace.planes == 1)
    return _mm512_mul_ps(d, _mm512_set1_ps(at<float>(activation, kPlace.scale())[row]));
  const __m512i one = _mm512_set1_epi32(127 << 23);
  const __m512i scale = _mm512_set1_epi32(at<std::int32_t>(activation, kPlace.scale())[row]);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(d), _mm512_sub_epi32(scale, one)));
}

// -zero * sum of q over the block, or over one half of it.
template <PlaneTile kPlace>
__m512i start(const std::byte* activation, int row, __m128i zero_shift, Kind kind, int half) {
  const auto* sums = at<std::int32_t>(activation, kPlace.negative_sums());
  const std::int32_t sum =
      kind == Kind::kHalves ? sums[half * kPlace.rows + row] : sums[row] + sums[kPlace.rows + row];
  return _mm512_sll_epi32(_mm512_set1_epi32(sum), zero_shift);
}

template <PlaneTile kPlace>
__m512i plane(__m512i sum, __m512i codes, const std::byte* activation, int row, int word) {
  return _mm512_dpbusd_epi32(sum, codes,
                             _mm512_set1_epi32(at<std::int32_t>(activation, kPlace.codes(row))[word]));
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

template <PlaneTile kPlace, WeightFormat kFormat, int kCount>
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
      __m512i low = kKind == Kind::kMin ? _mm512_setzero_si512()
                                        : start<kPlace>(activation, r, zero_shift, kKind, half);
#pragma GCC unroll 8
      for (int g = begin; g < end; ++g) {
        if constexpr (kPlace.planes == 2) high = plane<kPlace>(high, codes[g], activation, r, g);
        low = plane<kPlace>(low, codes[g], activation, r, g + 8);
      }
      const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high, 7), low);
      total[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), times_scale<kPlace>(d, activation, r), total[r]);
    }
  }
  if constexpr (kKind == Kind::kMin) {
    const __m512 m = scale_of<kFormat>(weights, 1);
    const auto* sums = at<float>(activation, kPlace.scaled_sum());
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) total[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(sums[r]), total[r]);
  }
}

__m128i zero_shift_of(const PackedPart& part) {
  return _mm_cvtsi32_si128(part.zero == 0 ? 0 : __builtin_ctz(static_cast<unsigned>(part.zero)));
}

template <PlaneTile kPlace, WeightFormat kFormat, int kCount>
void multiply_few(const LinearTask& task) {
  const PackedPart& part = task.part;
  const __m128i zero_shift = zero_shift_of(part);
  const std::size_t blocks = part.blocks();
  const std::byte* activations = task.activations + task.row_begin / kPlace.rows * blocks * kPlace.bytes();
  for (std::size_t tile = task.tile_begin; tile < task.tile_end; ++tile) {
    const std::byte *weights = part.block(tile, 0), *activation = activations;
    __m512 total[kCount];
    for (__m512& lanes : total) lanes = _mm512_setzero_ps();
    for (std::size_t b = 0; b < blocks; ++b, weights += block_bytes(kFormat), activation += kPlace.bytes()) {
      if (task.ahead > 0) fetch_lines<block_bytes(kFormat)>(weights + task.ahead);
      multiply_block<kPlace, kFormat, kCount>(weights, activation, zero_shift, total);
    }
    for (int r = 0; r < kCount; ++r) {
      float* y = task.y + (task.row_begin + r) * task.y_stride + tile * kTileRows;
      Lanes{total[r]}.store(y, outputs_of_tile(part, tile));
    }
  }
}

// A task of at most 4 rows: codes are unpacked in registers.
template <PlaneTile kPlace, WeightFormat kFormat>
void multiply_few(const LinearTask& task) {
  switch (task.row_end - task.row_begin) {
    case 1:
      return multiply_few<kPlace, kFormat, 1>(task);
    case 2:
      return multiply_few<kPlace, kFormat, 2>(task);
    case 3:
      return multiply_few<kPlace, kFormat, 3>(task);
    default:
      return multiply_few<kPlace, kFormat, 4>(task);
  }
}

}  // namespace
}  // namespace micius
