// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx2_internal.h"
#include "engine/ops/linear_floats_internal.h"
// clang-format on

namespace micius {

LinearKernels linear_avx2() { return linear_plain(); }

}  // namespace micius
