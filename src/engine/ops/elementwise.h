// Small ops on rows of the residual stream.
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/op_context.h"

namespace micius {

// out = x / sqrt(mean(x^2) + epsilon) * weight, row by row. x, out: [rows, weight.size()]; out may be x.
void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon, std::span<float> out,
              const OpContext& context);

// out = silu(gate) * up. gate_up: [rows, 2 * width], gate first; out: [rows, width]; width = out.size() /
// rows.
void swiglu(std::span<const float> gate_up, std::size_t width, std::span<float> out,
            const OpContext& context);

// x += y, of equal size.
void add(std::span<float> x, std::span<const float> y, const OpContext& context);

// Row ids[i] of `table`, widened. out: [ids.size(), table.cols]. Ids must be below table.rows.
void embedding_rows(const MatrixView& table, std::span<const std::int32_t> ids, std::span<float> out,
                    const OpContext& context);

}  // namespace micius
