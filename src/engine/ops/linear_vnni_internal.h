// Code formats with VNNI: vpdpbusd multiplies the planes of linear_planes_internal.h by unsigned codes. The
// sum over the high plane, shifted left by 7, starts the sum over the low one. 16-bit products (vpdpwssd)
// would need weights of twice the bytes at the same rate.
//
// The AVX-512 lanes come first.
#pragma once

#include "engine/ops/fetch_internal.h"
#include "engine/ops/linear_codes_internal.h"
#include "engine/ops/linear_floats_internal.h"
#include "engine/ops/linear_planes_internal.h"

namespace micius {
namespace {

__m512i load(const std::byte* bytes) { return _mm512_loadu_si512(bytes); }
__m512 load_float(const std::byte* bytes) { return _mm512_loadu_ps(bytes); }

// ---- one block, one tile

enum class Kind { kZero, kMin, kHalves };

constexpr Kind kind_of(WeightFormat format) {
  if (format == WeightFormat::kSixHalves) return Kind::kHalves;
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
  constexpr bool kSixes = kFormat == WeightFormat::kSixHalves;
  if constexpr (!has_nibbles(kFormat) && !kSixes) return load(block + 64 * g);
  const __m512i both = load(block + 64 * (g % 4)), nibble = _mm512_set1_epi8(15);
  const __m512i low = g < 4 ? both : _mm512_srli_epi16(both, 4);
  if constexpr (!kSixes) return _mm512_and_si512(low, nibble);
  const __m512i pairs = load(block + 256 + 64 * (g / 4));
  const int j = g % 4;
  const __m512i placed = j < 2 ? _mm512_slli_epi16(pairs, 4 - 2 * j) : _mm512_srli_epi16(pairs, 2 * j - 4);
  const __m512i high = _mm512_and_si512(placed, _mm512_set1_epi8(0x30));
  return _mm512_ternarylogic_epi32(low, nibble, high, 0xea);  // low & nibble | high
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
      fetch_lines<block_bytes(kFormat)>(weights, task.ahead);
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
