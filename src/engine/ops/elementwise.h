// Small ops on rows of the residual stream.
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/op_context.h"

namespace micius {

// out = x / sqrt(mean(x^2) + epsilon) * weight, row by row. x, out: [rows, weight.size()]; out may be x.
void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon, std::span<float> out,
              const OpContext& context);

// The same for each of the first `heads` heads of every row, in place. x points at the first head of the
// first of `rows` rows, which are `stride` floats apart; a head is as wide as `weight`.
void rms_norm_heads(float* x, std::size_t stride, std::size_t rows, std::size_t heads,
                    std::span<const float> weight, float epsilon, const OpContext& context);

// out = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * weight + bias, row by row (Ba et al., 2016).
// x, out: [rows, weight.size()]; out may be x.
void layer_norm(std::span<const float> x, std::span<const float> weight, std::span<const float> bias,
                float epsilon, std::span<float> out, const OpContext& context);

// out = silu(gate) * up. gate_up: [rows, 2 * width], gate first; out: [rows, width]; width = out.size() /
// rows.
void swiglu(std::span<const float> gate_up, std::size_t width, std::span<float> out,
            const OpContext& context);

// The same with gelu(gate) in its tanh form: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
void geglu(std::span<const float> gate_up, std::size_t width, std::span<float> out, const OpContext& context);

// x *= factor
void scale(std::span<float> x, float factor, const OpContext& context);

// x = gelu(x + bias), row by row, gelu(x) = x / 2 * (1 + erf(x / sqrt(2))) (Hendrycks and Gimpel, 2016). x:
// [rows, bias.size()].
void gelu(std::span<float> x, std::span<const float> bias, const OpContext& context);

// x += y, of equal size.
void add(std::span<float> x, std::span<const float> y, const OpContext& context);

// x += bias, row by row. x: [rows, bias.size()].
void add_bias(std::span<float> x, std::span<const float> bias, const OpContext& context);

// The mean of each run of rows, scaled to length 1; a mean of zeros stays. x: [sum of counts, width], no
// count is 0; out: [counts.size(), width].
void unit_means(std::span<const float> x, std::span<const std::size_t> counts, std::size_t width,
                std::span<float> out);

// Row ids[i] of `table`, widened. out: [ids.size(), table.cols]. Ids must be below table.rows.
void embedding_rows(const MatrixView& table, std::span<const std::int32_t> ids, std::span<float> out,
                    const OpContext& context);

}  // namespace micius
