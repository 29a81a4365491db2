// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx2_internal.h"
#include "engine/ops/attention_kernels_internal.h"
#include "engine/ops/attention_columns_internal.h"
#include "engine/ops/attention_selected_internal.h"
// clang-format on

namespace micius {

AttentionKernels attention_avx2() { return lanes_attention<1, 2>(); }

}  // namespace micius
