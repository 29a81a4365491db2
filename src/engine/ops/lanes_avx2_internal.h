// Sixteen floats in two AVX2 registers; the contract is that of the plain header.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace micius {
namespace {

struct Lanes {
  __m256 a, b;

  static Lanes zero() { return broadcast(0); }
  static Lanes broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Lanes load(const std::uint16_t* half) {
    const auto* p = reinterpret_cast<const __m128i*>(half);
    return {_mm256_cvtph_ps(_mm_loadu_si128(p)), _mm256_cvtph_ps(_mm_loadu_si128(p + 1))};
  }
  static Lanes load(const std::int8_t* p) {
    const auto widen = [](const std::int8_t* from) {
      return _mm256_cvtepi32_ps(
          _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
    };
    return {widen(p), widen(p + 8)};
  }
  static Lanes load_bf16(const std::uint16_t* bits) {
    const auto* p = reinterpret_cast<const __m128i*>(bits);
    return {widen_bf16(_mm_loadu_si128(p)), widen_bf16(_mm_loadu_si128(p + 1))};
  }
  static Lanes load(const float* p, std::size_t n) {
    if (n == 16) return load(p);
    return {_mm256_maskload_ps(p, mask(low(n))), _mm256_maskload_ps(p + (n > 8 ? 8 : 0), mask(n - low(n)))};
  }
  void store(float* p) const {
    _mm256_storeu_ps(p, a);
    _mm256_storeu_ps(p + 8, b);
  }
  void store(float* p, std::size_t n) const {
    if (n == 16) return store(p);
    _mm256_maskstore_ps(p, mask(low(n)), a);
    if (n > 8) _mm256_maskstore_ps(p + 8, mask(n - 8), b);
  }

  friend Lanes operator+(Lanes x, Lanes y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
  friend Lanes operator-(Lanes x, Lanes y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
  friend Lanes operator*(Lanes x, Lanes y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
  friend Lanes operator/(Lanes x, Lanes y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
  static Lanes fma(Lanes x, Lanes y, Lanes z) {
    return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
  }
  static Lanes max(Lanes x, Lanes y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
  static Lanes round(Lanes x) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(x.a, kNearest), _mm256_round_ps(x.b, kNearest)};
  }
  static Lanes scale2(Lanes x, Lanes n) { return {scale2(x.a, n.a), scale2(x.b, n.b)}; }
  static Lanes first(Lanes x, std::int64_t n, Lanes y) {
    const std::size_t lanes = n < 0 ? 0 : n > 16 ? 16 : static_cast<std::size_t>(n);
    return {_mm256_blendv_ps(y.a, x.a, _mm256_castsi256_ps(mask(low(lanes)))),
            _mm256_blendv_ps(y.b, x.b, _mm256_castsi256_ps(mask(lanes - low(lanes))))};
  }
  static Lanes where_above(Lanes limit, float value, Lanes x, Lanes y) {
    const __m256 v = _mm256_set1_ps(value);
    return {_mm256_blendv_ps(y.a, x.a, _mm256_cmp_ps(limit.a, v, _CMP_GT_OQ)),
            _mm256_blendv_ps(y.b, x.b, _mm256_cmp_ps(limit.b, v, _CMP_GT_OQ))};
  }
  float sum() const {
    const __m256 eight = _mm256_add_ps(a, b);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  float max() const {
    const __m256 eight = _mm256_max_ps(a, b);
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }

  static bool same(Lanes x, Lanes y) {
    return _mm256_movemask_ps(
               _mm256_or_ps(_mm256_cmp_ps(x.a, y.a, _CMP_NEQ_UQ), _mm256_cmp_ps(x.b, y.b, _CMP_NEQ_UQ))) == 0;
  }
  void store_half(std::uint16_t* half) const {
    auto* p = reinterpret_cast<__m128i*>(half);
    _mm_storeu_si128(p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128(p + 1, _mm256_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT));
  }

 private:
  static std::size_t low(std::size_t n) { return n < 8 ? n : 8; }
  static __m256i mask(std::size_t n) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), index);
  }
  static __m256 widen_bf16(__m128i bits) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  static __m256 scale2(__m256 x, __m256 n) {
    const __m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), shift));
  }
};

}  // namespace
}  // namespace micius
