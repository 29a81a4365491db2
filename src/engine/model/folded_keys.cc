#include "engine/model/folded_keys.h"

#include <algorithm>

#include "engine/quant.h"

namespace micius {

std::vector<float> widened(const MatrixView& view) {
  std::vector<float> values(view.rows * view.cols);
  dequantize(view.dtype, view.data, values);
  return values;
}

OwnedMatrix folded_keys(const AttentionShape& shape, std::size_t d_q, const MatrixView& make_q,
                        const MatrixView& up) {
  const std::vector<float> u = widened(up), w = widened(make_q);
  const std::size_t cols = make_q.cols;
  OwnedMatrix folded;
  folded.values.reserve(shape.n_q * shape.d_k * cols);
  std::vector<double> row(cols);
  for (std::size_t head = 0; head < shape.n_q; ++head) {
    const float* u_head = &u[shape.k_head(head) * d_q * shape.d_k];
    const float* w_head = &w[head * d_q * cols];
    for (std::size_t i = 0; i < shape.d_k; ++i) {
      std::fill(row.begin(), row.end(), 0.0);
      for (std::size_t j = 0; j < d_q; ++j) {
        const double factor = u_head[j * shape.d_k + i];
        for (std::size_t c = 0; c < cols; ++c) row[c] += factor * w_head[j * cols + c];
      }
      for (const double value : row) folded.values.push_back(static_cast<float>(value));
    }
  }
  folded.view = {DType::kF32, shape.n_q * shape.d_k, cols,
                 reinterpret_cast<const std::byte*>(folded.values.data())};
  return folded;
}

}  // namespace micius
