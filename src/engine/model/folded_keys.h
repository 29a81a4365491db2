// Matrices that are worked out when a model is loaded.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/kv_page.h"
#include "engine/tensor.h"

namespace micius {

// A matrix and the view that packing takes of it, which a move leaves valid.
struct OwnedMatrix {
  std::vector<float> values;
  MatrixView view;
};

std::vector<float> widened(const MatrixView& view);

// Half K: q . (U k) = (U^T q) . k, so the cache is never widened. U^T goes into the matrix that makes q: head
// i's rows W_i [d_q, cols] become U_j^T W_i [d_k, cols], with j its K head.
// make_q: [n_q * d_q, cols]; up: [n_k * d_q, d_k]. Gives [n_q * d_k, cols].
OwnedMatrix folded_keys(const AttentionShape& shape, std::size_t d_q, const MatrixView& make_q,
                        const MatrixView& up);

}  // namespace micius
