// The lanes come first.
// clang-format off
#include "engine/ops/lanes_plain_internal.h"
#include "engine/ops/elementwise_kernels_internal.h"
// clang-format on

namespace micius {

ElementwiseKernels elementwise_plain() { return lanes_elementwise(); }

}  // namespace micius
