// Sixteen floats in plain C++. The other instruction sets have the same names with the same results, bit for
// bit, so that a kernel written over Lanes gives the same numbers everywhere. Included by one kind of .cc
// file only; the unnamed namespace keeps code of one instruction set from being linked into another.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/quant.h"

namespace micius {
namespace {

struct Lanes {
  float v[16];

  static Lanes zero() { return broadcast(0); }
  static Lanes broadcast(float x) {
    Lanes r;
    for (float& lane : r.v) lane = x;
    return r;
  }
  static Lanes load(const float* p) {
    Lanes r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
  }
  static Lanes load(const std::uint16_t* half) {  // f16, widened
    Lanes r;
    for (int i = 0; i < 16; ++i) r.v[i] = widen_half(half[i]);
    return r;
  }
  static Lanes load(const std::int8_t* p) {
    Lanes r;
    for (int i = 0; i < 16; ++i) r.v[i] = static_cast<float>(p[i]);
    return r;
  }
  static Lanes load_bf16(const std::uint16_t* p) {
    Lanes r;
    for (int i = 0; i < 16; ++i) {
      const std::uint32_t bits = static_cast<std::uint32_t>(p[i]) << 16;
      std::memcpy(&r.v[i], &bits, 4);
    }
    return r;
  }
  // The first n floats; the other lanes are 0. 0 <= n <= 16, as in store().
  static Lanes load(const float* p, std::size_t n) {
    Lanes r = zero();
    std::memcpy(r.v, p, n * 4);
    return r;
  }
  void store(float* p) const { std::memcpy(p, v, sizeof v); }
  void store(float* p, std::size_t n) const { std::memcpy(p, v, n * 4); }

  template <typename F>
  static Lanes each(F f) {
    Lanes r;
    for (int i = 0; i < 16; ++i) r.v[i] = f(i);
    return r;
  }
  friend Lanes operator+(Lanes a, Lanes b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  friend Lanes operator-(Lanes a, Lanes b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
  }
  friend Lanes operator*(Lanes a, Lanes b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  friend Lanes operator/(Lanes a, Lanes b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
  }
  // a * b + c, rounded once
  static Lanes fma(Lanes a, Lanes b, Lanes c) {
    return each([&](int i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  static Lanes max(Lanes a, Lanes b) {
    return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static Lanes round(Lanes a) {
    return each([&](int i) { return std::nearbyint(a.v[i]); });
  }  // to nearest even
  // a * 2^n for whole n where the result is a normal number
  static Lanes scale2(Lanes a, Lanes n) {
    return each([&](int i) {
      std::int32_t bits;
      std::memcpy(&bits, &a.v[i], 4);
      bits += static_cast<std::int32_t>(n.v[i]) * (1 << 23);
      float r;
      std::memcpy(&r, &bits, 4);
      return r;
    });
  }
  // The first n lanes of a, the others of b; n may be any number.
  static Lanes first(Lanes a, std::int64_t n, Lanes b) {
    return each([&](int i) { return i < n ? a.v[i] : b.v[i]; });
  }
  // Lanes of a where the lane of `limit` is above `value`, the others of b.
  static Lanes where_above(Lanes limit, float value, Lanes a, Lanes b) {
    return each([&](int i) { return limit.v[i] > value ? a.v[i] : b.v[i]; });
  }

  // Halves, quarters, eighths, then the last two.
  float sum() const {
    float s[16];
    std::memcpy(s, v, sizeof s);
    for (int width = 8; width > 0; width /= 2) {
      for (int i = 0; i < width; ++i) s[i] += s[i + width];
    }
    return s[0];
  }
  float max() const {
    float m = v[0];
    for (int i = 1; i < 16; ++i) m = v[i] > m ? v[i] : m;
    return m;
  }
  // Is every lane of a equal to that of b? NaN is equal to nothing.
  static bool same(Lanes a, Lanes b) {
    for (int i = 0; i < 16; ++i) {
      if (a.v[i] != b.v[i]) return false;
    }
    return true;
  }
  void store_half(std::uint16_t* half) const {  // as f16, rounded to nearest even
    for (int i = 0; i < 16; ++i) half[i] = f32_to_f16(v[i]);
  }

 private:
  static float widen_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16, rest = half & 0x7fff;
    std::uint32_t bits;
    if (rest < 0x0400) {
      const float value = static_cast<float>(rest) * 0x1p-24F;
      std::memcpy(&bits, &value, 4);
    } else {
      bits = (rest << 13) + ((rest >= 0x7c00 ? 255U - 31U : 127U - 15U) << 23);
    }
    bits |= sign;
    float r;
    std::memcpy(&r, &bits, 4);
    return r;
  }
};

}  // namespace
}  // namespace micius
