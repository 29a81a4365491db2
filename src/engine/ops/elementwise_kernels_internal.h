// The small ops over Lanes; a lanes header comes first.
#pragma once

#include "engine/ops/elementwise_internal.h"
#include "engine/ops/erf_internal.h"
#include "engine/ops/exp_internal.h"

namespace micius {
namespace {

inline std::size_t lanes_left(std::size_t n, std::size_t i) { return n - i < 16 ? n - i : 16; }

inline void rms_norm_row(const float* x, const float* weight, std::size_t n, float epsilon, float* out) {
  Lanes squares = Lanes::zero();
  for (std::size_t i = 0; i < n; i += 16) {
    const Lanes v = Lanes::load(x + i, lanes_left(n, i));
    squares = Lanes::fma(v, v, squares);
  }
  const float mean = squares.sum() / static_cast<float>(n);
  const Lanes factor = Lanes::broadcast(1.0F / __builtin_sqrtf(mean + epsilon));
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    (Lanes::load(x + i, left) * factor * Lanes::load(weight + i, left)).store(out + i, left);
  }
}

inline void layer_norm_row(const float* x, const float* weight, const float* bias, std::size_t n,
                           float epsilon, float* out) {
  const auto count = static_cast<float>(n);
  Lanes total = Lanes::zero(), squares = Lanes::zero();
  for (std::size_t i = 0; i < n; i += 16) total = total + Lanes::load(x + i, lanes_left(n, i));
  const Lanes mean = Lanes::broadcast(total.sum() / count);
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    const Lanes v =
        Lanes::first(Lanes::load(x + i, left) - mean, static_cast<std::int64_t>(left), Lanes::zero());
    squares = Lanes::fma(v, v, squares);
  }
  const Lanes factor = Lanes::broadcast(1.0F / __builtin_sqrtf(squares.sum() / count + epsilon));
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    const Lanes unit = (Lanes::load(x + i, left) - mean) * factor;
    Lanes::fma(unit, Lanes::load(weight + i, left), Lanes::load(bias + i, left)).store(out + i, left);
  }
}

inline void gelu_row(float* x, const float* bias, std::size_t n) {
  const Lanes half = Lanes::broadcast(0.5F), root = Lanes::broadcast(0.70710678F);
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    const Lanes v = Lanes::load(x + i, left) + Lanes::load(bias + i, left), h = v * half;
    Lanes::fma(h, erf(v * root), h).store(x + i, left);
  }
}

inline void swiglu_row(const float* gate, const float* up, std::size_t n, float* out) {
  const Lanes one = Lanes::broadcast(1.0F);
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    const Lanes g = Lanes::load(gate + i, left);
    const Lanes silu = g / (one + exp(Lanes::zero() - g));
    (silu * Lanes::load(up + i, left)).store(out + i, left);
  }
}

// x / 2 * (1 + tanh z) is x / (1 + e^(-2 z)).
inline void geglu_row(const float* gate, const float* up, std::size_t n, float* out) {
  const Lanes one = Lanes::broadcast(1.0F), cubic = Lanes::broadcast(0.044715F);
  const Lanes factor = Lanes::broadcast(-1.5957691216F);  // -2 sqrt(2 / pi)
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    const Lanes g = Lanes::load(gate + i, left);
    const Lanes inner = Lanes::fma(g * g * g, cubic, g);
    (g / (one + exp(inner * factor)) * Lanes::load(up + i, left)).store(out + i, left);
  }
}

inline void add_row(float* x, const float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    (Lanes::load(x + i, left) + Lanes::load(y + i, left)).store(x + i, left);
  }
}

inline void rope_head(float* head, const float* cosines, const float* sines, std::size_t half) {
  for (std::size_t i = 0; i < half; i += 16) {
    const std::size_t left = lanes_left(half, i);
    const Lanes a = Lanes::load(head + i, left), b = Lanes::load(head + half + i, left);
    const Lanes c = Lanes::load(cosines + i, left), s = Lanes::load(sines + i, left);
    Lanes::fma(a, c, Lanes::zero() - b * s).store(head + i, left);
    Lanes::fma(a, s, b * c).store(head + half + i, left);
  }
}

inline float max_row(const float* x, std::size_t n) {
  Lanes m = Lanes::broadcast(x[0]);
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    m = Lanes::max(m, Lanes::first(Lanes::load(x + i, left), static_cast<std::int64_t>(left), m));
  }
  return m.max();
}

inline double sum_exp_row(const float* x, std::size_t n, float subtract) {
  const Lanes shift = Lanes::broadcast(subtract);
  double total = 0;
  for (std::size_t i = 0; i < n; i += 16) {
    const std::size_t left = lanes_left(n, i);
    const Lanes e = exp(Lanes::load(x + i, left) - shift);
    total += static_cast<double>(Lanes::first(e, static_cast<std::int64_t>(left), Lanes::zero()).sum());
  }
  return total;
}

inline ElementwiseKernels lanes_elementwise() {
  return {rms_norm_row, layer_norm_row, swiglu_row, geglu_row,  gelu_row,
          add_row,      rope_head,      max_row,    sum_exp_row};
}

}  // namespace
}  // namespace micius
