// The lanes come first.
// clang-format off
#include "engine/ops/lanes_avx512_internal.h"
#include "engine/ops/attention_kernels_internal.h"
#include "engine/ops/attention_columns_internal.h"
#include "engine/ops/attention_selected_internal.h"
// clang-format on

namespace micius {

AttentionKernels attention_avx512() { return lanes_attention<4, 8>(); }

}  // namespace micius
