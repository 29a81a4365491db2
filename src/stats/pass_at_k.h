// pass@k.
#pragma once

#include <cstddef>

namespace micius {

// The chance that k answers drawn without putting back from n, of which c are right, hold a right one:
// 1 - C(n - c, k) / C(n, k) = 1 - prod over i = n - c + 1 .. n of (1 - k / i), 1 where n - c < k. Unbiased
// for the chance that one of k answers is right (Chen et al. 2021, arXiv 2107.03374). 0 < k <= n, c <= n.
double pass_at_k(std::size_t n, std::size_t c, std::size_t k);

}  // namespace micius
