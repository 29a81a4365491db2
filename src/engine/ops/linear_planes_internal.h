// Activations for VNNI: two planes of signed bytes, q = 128 * high + low; under kFast the low plane is all
// there is. Four rows are quantised at a time, what belongs to one of them in one lane, so that largest
// values and sums need no reduction of their own.
//
// kPlace is the layout of the activation tiles. The AVX-512 lanes come first.
#pragma once

#include "engine/ops/linear_codes_internal.h"

namespace micius {
namespace {

struct PlaneTile : ActivationBlock {
  int planes;  // 2, or 1 under kFast
};

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

}  // namespace
}  // namespace micius
