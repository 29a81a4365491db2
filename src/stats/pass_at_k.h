// pass@k and pass^k.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/estimate.h"

namespace micius {

// The chance that k answers drawn without putting back from n, of which c are right, hold a right one:
// 1 - C(n - c, k) / C(n, k), 1 where n - c < k. Unbiased for the chance that one of k answers is right (Chen
// et al. 2021, arXiv 2107.03374, section 2.1). 0 < k <= n, c <= n.
double pass_at_k(std::size_t n, std::size_t c, std::size_t k);

// The chance that all of them are right: C(c, k) / C(n, k), 0 where c < k (Yao et al. 2024, arXiv 2406.12045,
// pass^k).
double pass_hat_k(std::size_t n, std::size_t c, std::size_t k);

// Mean of pass@k over problems with s / sqrt(problems) as its error. Absent where there is no problem or one
// has fewer than k answers: to leave it out would change what is counted.
struct Problem {
  std::size_t n, c;
};
std::optional<Estimate> pass_at_k(std::span<const Problem> problems, std::size_t k);

}  // namespace micius
