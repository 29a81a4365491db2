// Floats to weight formats: what `micius model convert` writes.
// The search for scales is that of ggml's reference code (quantize_row_*_ref), in fp32.
#pragma once

#include <cstddef>
#include <span>

#include "engine/tensor.h"

namespace micius {

// Writes `values`, a whole number of blocks and all finite, as row_bytes(dtype, values.size()) bytes. dtype
// is F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K.
void quantize(DType dtype, std::span<const float> values, std::byte* out);

}  // namespace micius
