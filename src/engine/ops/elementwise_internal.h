// The inner loops of the small ops, one table for each instruction set.
#pragma once

#include <cstddef>

#include "engine/cpu.h"

namespace micius {

struct ElementwiseKernels {
  void (*rms_norm)(const float* x, const float* weight, std::size_t n, float epsilon, float* out);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, std::size_t n, float epsilon,
                     float* out);
  void (*swiglu)(const float* gate, const float* up, std::size_t n, float* out);
  void (*geglu)(const float* gate, const float* up, std::size_t n, float* out);
  void (*gelu)(float* x, const float* bias, std::size_t n);
  void (*add)(float* x, const float* y, std::size_t n);
  void (*rope)(float* head, const float* cosines, const float* sines, std::size_t half);
  float (*max)(const float* x, std::size_t n);                       // n > 0
  double (*sum_exp)(const float* x, std::size_t n, float subtract);  // of e^(x - subtract)
};

ElementwiseKernels elementwise_plain();
ElementwiseKernels elementwise_avx2();
ElementwiseKernels elementwise_avx512();
ElementwiseKernels elementwise_kernels(Isa isa);

}  // namespace micius
