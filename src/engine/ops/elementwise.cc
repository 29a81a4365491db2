#include "engine/ops/elementwise.h"

#include <cassert>
#include <cmath>
#include <vector>

#include "engine/ops/elementwise_internal.h"
#include "engine/ops/rope.h"
#include "engine/quant.h"

namespace micius {
namespace {

constexpr std::size_t kGrain = 16384;  // values a thread should have at least: a fork costs as much as these

constexpr std::size_t kTurnCost = 32;  // an angle's cosine and sine, in values

std::size_t grain_rows(std::size_t width) { return width == 0 ? 1 : kGrain / width + 1; }

void apply_gate(void (*kernel)(const float*, const float*, std::size_t, float*),
                std::span<const float> gate_up, std::size_t width, std::span<float> out,
                const OpContext& context) {
  assert(width > 0 && out.size() % width == 0 && gate_up.size() == 2 * out.size());
  context.pool.parallel_for(
      out.size() / width, grain_rows(4 * width), [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) {
          kernel(&gate_up[2 * r * width], &gate_up[(2 * r + 1) * width], width, &out[r * width]);
        }
      });
}

}  // namespace

ElementwiseKernels elementwise_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return elementwise_avx512();
  if (isa == Isa::kAvx2) return elementwise_avx2();
#endif
  assert(isa == Isa::kPlain);
  return elementwise_plain();
}

void rms_norm(std::span<const float> x, std::span<const float> weight, float epsilon, std::span<float> out,
              const OpContext& context) {
  const std::size_t width = weight.size();
  assert(width > 0 && x.size() % width == 0 && out.size() == x.size());
  const auto kernel = elementwise_kernels(context.isa).rms_norm;
  context.pool.parallel_for(x.size() / width, grain_rows(width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernel(&x[r * width], weight.data(), width, epsilon, &out[r * width]);
    }
  });
}

void rms_norm_heads(float* x, std::size_t stride, std::size_t rows, std::size_t heads,
                    std::span<const float> weight, float epsilon, const OpContext& context) {
  const std::size_t width = weight.size();
  const auto kernel = elementwise_kernels(context.isa).rms_norm;
  context.pool.parallel_for(rows, grain_rows(heads * width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t h = 0; h < heads; ++h) {
        float* head = x + r * stride + h * width;
        kernel(head, weight.data(), width, epsilon, head);
      }
    }
  });
}

void layer_norm(std::span<const float> x, std::span<const float> weight, std::span<const float> bias,
                float epsilon, std::span<float> out, const OpContext& context) {
  const std::size_t width = weight.size();
  assert(width > 0 && x.size() % width == 0 && out.size() == x.size() && bias.size() == width);
  const auto kernel = elementwise_kernels(context.isa).layer_norm;
  context.pool.parallel_for(x.size() / width, grain_rows(width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernel(&x[r * width], weight.data(), bias.data(), width, epsilon, &out[r * width]);
    }
  });
}

void gelu(std::span<float> x, std::span<const float> bias, const OpContext& context) {
  const std::size_t width = bias.size();
  assert(width > 0 && x.size() % width == 0);
  const auto kernel = elementwise_kernels(context.isa).gelu;
  context.pool.parallel_for(x.size() / width, grain_rows(4 * width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) kernel(&x[r * width], bias.data(), width);
  });
}

void swiglu(std::span<const float> gate_up, std::size_t width, std::span<float> out,
            const OpContext& context) {
  apply_gate(elementwise_kernels(context.isa).swiglu, gate_up, width, out, context);
}

void geglu(std::span<const float> gate_up, std::size_t width, std::span<float> out,
           const OpContext& context) {
  apply_gate(elementwise_kernels(context.isa).geglu, gate_up, width, out, context);
}

void scale(std::span<float> x, float factor, const OpContext& context) {
  context.pool.parallel_for(x.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) x[i] *= factor;
  });
}

void add(std::span<float> x, std::span<const float> y, const OpContext& context) {
  assert(x.size() == y.size());
  const auto kernel = elementwise_kernels(context.isa).add;
  context.pool.parallel_for(x.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    kernel(&x[begin], &y[begin], end - begin);
  });
}

void add_bias(std::span<float> x, std::span<const float> bias, const OpContext& context) {
  const std::size_t width = bias.size();
  assert(width > 0 && x.size() % width == 0);
  const auto kernel = elementwise_kernels(context.isa).add;
  context.pool.parallel_for(x.size() / width, grain_rows(width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) kernel(&x[r * width], bias.data(), width);
  });
}

void unit_means(std::span<const float> x, std::span<const std::size_t> counts, std::size_t width,
                std::span<float> out) {
  assert(out.size() == counts.size() * width);
  std::vector<double> mean(width);
  const float* row = x.data();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    mean.assign(width, 0);
    for (std::size_t r = 0; r < counts[i]; ++r, row += width) {
      for (std::size_t c = 0; c < width; ++c) mean[c] += static_cast<double>(row[c]);
    }
    double squares = 0;  // the sum has the direction of the mean
    for (const double value : mean) squares += value * value;
    const double factor = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (std::size_t c = 0; c < width; ++c) out[i * width + c] = static_cast<float>(mean[c] * factor);
  }
}

void embedding_rows(const MatrixView& table, std::span<const std::int32_t> ids, std::span<float> out,
                    const OpContext& context) {
  const std::size_t stride = row_bytes(table.dtype, table.cols);
  assert(out.size() == ids.size() * table.cols);
  context.pool.parallel_for(ids.size(), grain_rows(4 * table.cols), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      assert(ids[i] >= 0 && static_cast<std::size_t>(ids[i]) < table.rows);
      dequantize(table.dtype, table.data + static_cast<std::size_t>(ids[i]) * stride,
                 out.subspan(i * table.cols, table.cols));
    }
  });
}

void rope_turns(const RopeAngles& angles, std::span<const std::int32_t> positions, std::span<float> turns,
                const OpContext& context) {
  const std::size_t dim = angles.dim();
  assert(turns.size() == positions.size() * dim);
  const auto turn_rows = [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      angles.turn(static_cast<std::size_t>(positions[r]), turns.subspan(r * dim, dim));
    }
  };
  context.pool.parallel_for(positions.size(), grain_rows(kTurnCost * dim), turn_rows);
}

void apply_rope(float* x, std::size_t stride, std::size_t heads, std::size_t dim,
                std::span<const float> turns, const OpContext& context) {
  const auto kernel = elementwise_kernels(context.isa).rope;
  const auto turn_rows = [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      const float* cosines = &turns[r * dim];
      for (std::size_t h = 0; h < heads; ++h) {
        kernel(x + r * stride + h * dim, cosines, cosines + dim / 2, dim / 2);
      }
    }
  };
  context.pool.parallel_for(turns.size() / dim, grain_rows(heads * dim), turn_rows);
}

}  // namespace micius
