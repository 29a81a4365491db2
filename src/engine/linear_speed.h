// How fast linear layers are at decode: y = W x for one x, weights random and in no cache.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/ops/linear.h"
#include "engine/tensor.h"

namespace micius {

struct MatrixSize {
  std::size_t rows = 0, cols = 0;
};

// What quantize() writes of random weights.
std::vector<std::byte> random_matrix(const MatrixSize& size, DType dtype);

class LinearBench {
 public:
  // Holds each matrix as often as it takes for all together to be at least `least_bytes`. dtype: what
  // quantize() writes; cols must be whole blocks of it. Throws Error{kIo} if memory is short.
  LinearBench(std::vector<MatrixSize> sizes, DType dtype, int threads, Isa isa,
              std::size_t least_bytes = 512 << 20);

  // Seconds of one product with each matrix, [sizes][repeats]; the matrices in turn, after one round that
  // warms up.
  std::vector<std::vector<double>> run(int repeats);

 private:
  void add_copy(DType dtype);

  std::vector<MatrixSize> sizes_;
  ThreadPool pool_;
  Scratch scratch_;
  OpContext context_;
  Arena memory_;
  std::vector<std::vector<Linear>> copies_;  // [copies][sizes]
};

}  // namespace micius
