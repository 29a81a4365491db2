// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx2_internal.h"
#include "engine/ops/elementwise_kernels_internal.h"
// clang-format on

namespace micius {

ElementwiseKernels elementwise_avx2() { return lanes_elementwise(); }

}  // namespace micius
