#include "engine/reference_ops.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/quant.h"

namespace micius::reference {

std::vector<double> linear(std::span<const LinearPart> parts, std::span<const float> x) {
  const std::size_t cols = parts.front().weights.cols, rows = x.size() / cols;
  std::vector<double> y;
  std::vector<float> w(cols);
  for (std::size_t r = 0; r < rows; ++r) {
    for (const LinearPart& part : parts) {
      for (std::size_t i = 0; i < part.weights.rows; ++i) {
        const std::size_t source = part.row_order.empty() ? i : part.row_order[i];
        dequantize(part.weights.dtype, part.weights.data + source * row_bytes(part.weights.dtype, cols), w);
        double sum = 0;
        for (std::size_t k = 0; k < cols; ++k)
          sum += static_cast<double>(w[k]) * static_cast<double>(x[r * cols + k]);
        y.push_back(sum);
      }
    }
  }
  return y;
}

std::vector<double> rms_norm(std::span<const float> x, std::span<const float> weight, double epsilon) {
  const std::size_t n = weight.size();
  std::vector<double> out(x.size());
  for (std::size_t r = 0; r < x.size() / n; ++r) {
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i)
      squares += static_cast<double>(x[r * n + i]) * static_cast<double>(x[r * n + i]);
    const double factor = 1 / std::sqrt(squares / static_cast<double>(n) + epsilon);
    for (std::size_t i = 0; i < n; ++i) {
      out[r * n + i] = static_cast<double>(x[r * n + i]) * factor * static_cast<double>(weight[i]);
    }
  }
  return out;
}

std::vector<double> layer_norm(std::span<const float> x, std::span<const float> weight,
                               std::span<const float> bias, double epsilon) {
  const std::size_t n = weight.size();
  std::vector<double> out(x.size());
  for (std::size_t r = 0; r < x.size() / n; ++r) {
    double mean = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(x[r * n + i]) / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares += std::pow(static_cast<double>(x[r * n + i]) - mean, 2);
    const double deviation = std::sqrt(squares / static_cast<double>(n) + epsilon);
    for (std::size_t i = 0; i < n; ++i) {
      out[r * n + i] =
          (static_cast<double>(x[r * n + i]) - mean) / deviation * static_cast<double>(weight[i]) +
          static_cast<double>(bias[i]);
    }
  }
  return out;
}

std::vector<double> gelu(std::span<const float> x, std::span<const float> bias) {
  std::vector<double> out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = static_cast<double>(x[i]) + static_cast<double>(bias[i % bias.size()]);
    out.push_back(value / 2 * (1 + std::erf(value / std::sqrt(2))));
  }
  return out;
}

std::vector<double> swiglu(std::span<const float> gate_up, std::size_t width) {
  std::vector<double> out;
  for (std::size_t r = 0; r < gate_up.size() / width / 2; ++r) {
    for (std::size_t i = 0; i < width; ++i) {
      const double gate = static_cast<double>(gate_up[2 * r * width + i]);
      out.push_back(gate / (1 + std::exp(-gate)) * static_cast<double>(gate_up[(2 * r + 1) * width + i]));
    }
  }
  return out;
}

std::vector<double> geglu(std::span<const float> gate_up, std::size_t width) {
  std::vector<double> out;
  for (std::size_t i = 0; i < gate_up.size(); ++i) {
    if (i / width % 2 == 1) continue;
    const double gate = gate_up[i], up = gate_up[i + width];
    const double inner = std::sqrt(2 / std::numbers::pi) * (gate + 0.044715 * gate * gate * gate);
    out.push_back(gate / 2 * (1 + std::tanh(inner)) * up);
  }
  return out;
}

std::vector<double> attention(const AttentionShape& shape, std::span<const float> q, std::span<const float> k,
                              std::span<const float> v, AttentionMask mask, std::size_t window) {
  const std::size_t tokens = q.size() / (shape.n_q * shape.d_k), length = k.size() / (shape.n_k * shape.d_k);
  std::vector<double> out(tokens * shape.n_q * shape.d_v);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t h = 0; h < shape.n_q; ++h) {
      const std::size_t visible = mask == AttentionMask::kCausal ? length - tokens + t + 1 : length;
      const std::size_t hidden = window > 0 && visible > window ? visible - window : 0;
      std::vector<double> weights(visible);
      for (std::size_t p = 0; p < visible; ++p) {
        for (std::size_t d = 0; d < shape.d_k; ++d) {
          weights[p] += static_cast<double>(q[(t * shape.n_q + h) * shape.d_k + d]) *
                        static_cast<double>(k[(p * shape.n_k + shape.k_head(h)) * shape.d_k + d]);
        }
        weights[p] = p < hidden ? -1e9 : weights[p] * static_cast<double>(shape.scale);
      }
      const double largest = *std::max_element(weights.begin(), weights.end());
      double total = 0;
      for (double& weight : weights) total += weight = std::exp(weight - largest);
      for (std::size_t p = 0; p < visible; ++p) {
        for (std::size_t d = 0; d < shape.d_v; ++d) {
          out[(t * shape.n_q + h) * shape.d_v + d] +=
              weights[p] / total * static_cast<double>(v[(p * shape.n_v + shape.v_head(h)) * shape.d_v + d]);
        }
      }
    }
  }
  return out;
}

double logsumexp(std::span<const float> logits) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

}  // namespace micius::reference
